"""The names of the input and the output of exported files."""

INPUT, OUTPUT = "images", "probabilities"
