"""Inference: predictions and evaluation of trained classifiers."""
