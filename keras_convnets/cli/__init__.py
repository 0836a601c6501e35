"""The command line, ``keras-convnets``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from keras_convnets.cli import boundary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0, 1 for a run that had to stop, 2 for bad input, 70 for a fault of this package, 75 for a run
    that has lost a machine, 124 after a time limit, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)

    def command() -> int:
        from keras_convnets.cli.commands import run  # in the boundary too: imports can fail

        return run(given)

    return boundary.guarded(command, last=arguments is None)
