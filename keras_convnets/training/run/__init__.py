"""A training run, from a model and data to a folder."""
