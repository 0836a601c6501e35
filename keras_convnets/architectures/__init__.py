"""One file a family: its blocks, its rows, its builder class."""
