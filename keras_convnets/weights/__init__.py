"""Weights that others have trained: reading their files, placing them in our layers, writing them.

``formats`` reads a file of any format into named arrays. ``rules`` are tables, one a family and
source, of the names that our layers have there. ``placing`` places the arrays of a file in the
layers of a model by these rules, ``transfer`` recognises, adapts and assigns them, and
``published`` knows the files that are published, with their preprocessing.
"""
