"""How networks are trained, as data, and as a compiled model."""
