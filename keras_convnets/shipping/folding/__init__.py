"""Batch normalisations folded into the layers before and after them."""
