"""Which array of a file is which weight of a model, by the rules of the source, and back."""
