"""What any functional Keras model is made of: calls, blocks, stages and their names."""
