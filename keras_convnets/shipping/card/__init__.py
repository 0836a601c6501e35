"""The model card of a run and of exported files."""
