"""The export of a model to a file that another runtime runs, with proof."""
