"""The figures of the lecture in the docs, "From LeNet to Inception-ResNet"."""
