"""GoogLeNet to Inception-ResNet."""
