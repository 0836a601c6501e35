"""What native code writes to the terminal, held back."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

OUTPUT, ERROR = 1, 2
_HELD = threading.RLock()  # of two threads, one would restore what the other holds back


@contextlib.contextmanager
def held_back(*descriptors: int) -> Iterator[None]:
    """Hold back what the process writes to standard error, or to other descriptors.

    Native code writes past ``sys.stderr``, so it can only be held back at the descriptor. What
    other threads write meanwhile is lost too: let the body be short. If it raises, the error
    should say in one line what the lines would.

    Args:
        *descriptors: `OUTPUT`, `ERROR` or both; by default `ERROR`.
    """
    with _HELD, contextlib.ExitStack() as after:
        null = os.open(os.devnull, os.O_WRONLY)
        after.callback(os.close, null)
        for descriptor in descriptors or (ERROR,):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none
                (sys.stdout if descriptor == OUTPUT else sys.stderr).flush()
            try:
                before = os.dup(descriptor)
            except OSError:  # closed, so nothing is written there
                continue
            os.dup2(null, descriptor)
            after.callback(os.close, before)
            after.callback(os.dup2, before, descriptor)
        yield


@contextlib.contextmanager
def python_alone() -> Iterator[None]:
    """Hold back what native code writes to standard error, but not what Python does.

    Other than with `held_back`, no thread loses what it writes, so the body may be long.
    """
    try:
        before = os.dup(ERROR)
    except OSError:  # closed, so nothing is written there
        yield
        return
    stream = sys.stderr
    try:
        stream.flush()
        is_there = stream.fileno() == ERROR
    except (OSError, ValueError, AttributeError):  # broken, or none
        is_there = False
    with contextlib.ExitStack() as after:
        after.callback(os.close, before)
        if is_there:
            sys.stderr = after.enter_context(
                open(before, "w", 1, stream.encoding, stream.errors, closefd=False)
            )
            after.callback(setattr, sys, "stderr", stream)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, ERROR)
        os.close(null)
        after.callback(os.dup2, before, ERROR)
        yield
