"""What networks reach that others have trained, and what they cost."""
