"""The ways to explain a class score by a map over the image: one file a method."""
