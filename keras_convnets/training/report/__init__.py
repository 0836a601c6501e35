"""The report of a run: pages and figures for people to read."""
