"""How fast a model is in each runtime, in turn, and how much memory and disk it takes."""
