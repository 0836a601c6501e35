"""Receptive fields of the units of a layer."""
