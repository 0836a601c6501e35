"""Training on from a trained model."""
