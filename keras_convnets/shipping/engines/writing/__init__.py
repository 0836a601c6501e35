"""What an exported file says of itself, written into the files of each runtime."""
