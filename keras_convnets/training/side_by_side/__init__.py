"""Several runs side by side: found in folders, as a table and as a figure."""
