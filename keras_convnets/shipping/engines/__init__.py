"""The runtimes of exported files: which there are, what a file says of itself, how it is run."""
