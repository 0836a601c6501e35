"""How fast a model is in each engine."""
