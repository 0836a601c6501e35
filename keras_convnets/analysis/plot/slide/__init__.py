"""Figures from left to right on a page of a given size, such as a slide."""
