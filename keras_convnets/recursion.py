"""Recursion limit for deep graphs, which Keras traverses recursively."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def room_for(calls: int) -> Iterator[None]:
    """Raise Python's recursion limit enough for Keras to traverse a graph of ``calls`` calls."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 2 * calls)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
