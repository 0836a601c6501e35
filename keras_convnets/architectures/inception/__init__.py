"""The Inception networks, from GoogLeNet to Inception-ResNet."""
