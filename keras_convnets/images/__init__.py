"""Images before the network: the same for training, prediction and export."""
