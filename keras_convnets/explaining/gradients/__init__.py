"""Where the gradient goes: blocks, paths and effective receptive fields."""
