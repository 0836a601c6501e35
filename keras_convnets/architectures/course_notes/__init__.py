"""The networks of the course notes."""
