"""What a trained network looks at, and what happens inside it."""
