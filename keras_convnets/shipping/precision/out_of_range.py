"""What a precision refuses by itself, whatever the converter."""


class OutOfRange(ValueError):  # noqa: N818 - of a weight
    """A weight is larger than the largest number of a precision; the line needs no more words."""
