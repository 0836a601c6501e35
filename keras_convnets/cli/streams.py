"""Standard output and standard error of the command, which may be closed, broken or full."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO, cast

from keras_convnets import printable

_LONGEST = 1600  # characters of a line; an argument may have any number


class Output:
    """Standard output, which remembers that it could not be written to.

    Attributes:
        error: why it could not be written to; ``None`` if it could.
        is_outlived: whether the command goes on without its output: if the reader has closed the
            pipe, or if it can no longer be written to.
    """

    def __init__(self, stream: Any) -> None:
        self.error: OSError | None = None
        self.is_outlived = False
        self._stream, self._has_worked = stream, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._watched(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._watched(self._stream.flush)
        self._has_worked = True

    def _watched(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except OSError as error:
            _discard(self._stream)
            if not self.is_outlived or not (self._has_worked or isinstance(error, BrokenPipeError)):
                self.error = error
                raise
            say(f"keras-convnets: standard output: {error.strerror}; the run goes on without it")


def outlive_output() -> None:
    """Let a long run go on, with a line, when its output can no longer be written."""
    if isinstance(sys.stdout, Output):
        sys.stdout.is_outlived = True


def say(line: str) -> None:
    """Print one line to standard error, if that can be written to."""
    text = printable.cut_middle(printable.one_line(line), _LONGEST)
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


@contextlib.contextmanager
def streams() -> Iterator[Output]:
    """Set up the standard streams for a command, and yield standard output.

    Python has ``None`` for a stream that is closed, and the system would give its number to the
    next file that is opened, a checkpoint for instance.
    """
    before = sys.stdout, sys.stderr
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):  # print ? for what a terminal cannot show
        sys.stdout.reconfigure(errors="replace")
    output = Output(sys.stdout)
    if sys.stdout is None:
        output.error = OSError(errno.EBADF, os.strerror(errno.EBADF))
    sys.stdout = cast(TextIO, output)
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = before


def _discard(stream: Any) -> None:
    """Discard what is left in a stream's buffer, and whatever is written to it later."""
    with contextlib.suppress(OSError, ValueError):  # it may have no descriptor
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
