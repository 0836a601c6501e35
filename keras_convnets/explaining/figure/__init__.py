"""Explanations as figures and as a page."""
