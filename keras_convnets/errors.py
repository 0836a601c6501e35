"""What ends a run that has begun."""


class RunStopped(Exception):  # noqa: N818 - it says what has come to pass, not what is wrong
    """A run cannot go on; its last checkpoint is whole, and the message says what to do."""
