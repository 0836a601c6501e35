"""Figures that Graphviz lays out: from top to bottom, in columns, or layer by layer."""
