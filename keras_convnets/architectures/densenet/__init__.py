"""Densely connected networks."""
