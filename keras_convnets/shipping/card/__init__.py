"""The model card: what is known of a model, for whoever gets its files."""
