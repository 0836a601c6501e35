"""Files of weights as arrays by name, whatever their format, and back."""
