"""Deep graphs: Keras follows them by recursion, further than Python lets it by default."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def room_for(calls: int) -> Iterator[None]:
    """Let Keras follow a graph of so many calls: it recurses, a level for each call."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 2 * calls)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
