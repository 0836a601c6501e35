"""The published files: where they are, their hashes, images and class names, and their trust."""
