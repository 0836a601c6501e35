"""Images for training and testing."""
