"""A page and an endpoint that classify images."""
