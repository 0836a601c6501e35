"""The preprocessing of images as part of a graph that every runtime runs."""
