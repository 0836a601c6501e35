"""Transfer learning from a trained model."""
