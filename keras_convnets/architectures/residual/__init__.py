"""The grammar that the residual families share."""
