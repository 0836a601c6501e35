"""Decoding and preprocessing of images, the same for training, prediction and export."""
