"""What a trained classifier says of images."""
