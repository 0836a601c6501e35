"""Several devices and machines."""
