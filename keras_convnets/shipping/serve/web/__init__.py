"""The HTTP side of serving: what is let in, how it is read, and what is answered."""
