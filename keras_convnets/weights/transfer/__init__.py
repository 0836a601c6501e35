"""From a file into a model, and back: recognised, adapted, checked, then assigned."""
