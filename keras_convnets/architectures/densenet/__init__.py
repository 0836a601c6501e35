"""Densely connected networks (DenseNets)."""
