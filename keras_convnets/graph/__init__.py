"""The structure of any functional Keras model: its calls, blocks and stages, and their names."""
