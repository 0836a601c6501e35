"""Ctrl-C, SIGTERM and the time limit: the current step is completed, so that the state is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """A context in which the first signal requests a stop, and the second stops immediately.

    Args:
        until: when the time of the process is over, by ``time.monotonic``; ``None`` for never.

    Attributes:
        signalled: whether a signal has come.
    """

    def __init__(self, until: float | None = None) -> None:
        self.signalled = False
        self._until = until
        self._before: dict[int, Any] = {}

    @property
    def is_late(self) -> bool:
        """Whether the time of the process is over."""
        return self._until is not None and time.monotonic() >= self._until

    @property
    def asked(self) -> bool:
        """Whether to stop after the current step."""
        return self.signalled or self.is_late

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.signalled:
            raise KeyboardInterrupt
        self.signalled = True


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Prevent a second Ctrl-C from interrupting the writing of files."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
