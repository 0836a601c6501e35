"""A warning of a softmax that is constant, shown at the line of the user."""

from __future__ import annotations

import inspect
import itertools
import warnings


def warn_of_softmax_over_one(num_outputs: int) -> None:
    """Warn that a softmax over a single output, which the caller is about to build, is constant."""
    if num_outputs == 1:
        warnings.warn(
            "num_outputs: received 1 with a softmax, which is 1 for every image, so the network "
            "cannot learn; expected a sigmoid for two classes. Build it with "
            "classifier_activation='sigmoid', or with num_outputs=2.",
            stacklevel=_level_of_user(),
        )


def _level_of_user() -> int:
    """Return the ``stacklevel`` that shows a warning of the caller at the line of the user."""
    package = __name__.partition(".")[0]
    names = (caller.frame.f_globals.get("__name__", "") for caller in inspect.stack(context=0)[1:])
    inside = itertools.takewhile(lambda name: name.partition(".")[0] == package, names)
    return 1 + sum(1 for _ in inside)
