"""Training recipes as data, and their application to a model."""
