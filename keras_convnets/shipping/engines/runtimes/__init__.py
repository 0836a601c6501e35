"""How each runtime opens a file: one module for each."""
