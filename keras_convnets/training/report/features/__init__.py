"""Test images by the network's last feature maps: the typical ones, and a map of them."""
