"""What ends a run that has begun, with the command's exit code for it."""


class RunStopped(Exception):  # noqa: N818 - it says what has happened, not what is wrong
    """A run cannot go on; its last checkpoint is whole, and the message says what to do."""

    exit_code = 1


class PeerLost(RunStopped):
    """Another machine of the run does not answer any more.

    Start all machines again that have ended, with the commands that they were started with: the
    run goes on from its last checkpoint.
    """

    exit_code = 75  # EX_TEMPFAIL: try again
