"""Errors that end a training run, each with the exit code of the command."""


class RunStopped(Exception):  # noqa: N818 - names an event, not an error
    """A run cannot continue. Its last checkpoint is intact; the message says what to do."""

    exit_code = 1


class PeerLost(RunStopped):
    """Another machine of the run no longer responds.

    Restart every machine that has exited with its original command. The run resumes from its last
    checkpoint.
    """

    exit_code = 75  # EX_TEMPFAIL: try again


class OutOfMemoryError(ValueError):
    """What was asked for does not fit into the memory; the message says what, and what to do."""
