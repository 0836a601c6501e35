"""Several models side by side, with equal rows level."""
