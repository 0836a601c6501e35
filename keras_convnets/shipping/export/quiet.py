"""Converters print and warn a lot: what they say is kept, to tell why one of them failed."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[list[str]]:
    """Keep what code prints and logs off the terminal, that of libraries in C++ included.

    Yields a list to which the printed text is added at the end.
    """
    said: list[str] = []
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), _descriptors(said):
            warnings.simplefilter("ignore")
            yield said
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _descriptors(said: list[str]) -> Iterator[None]:
    """Send what is written to the standard streams into a file, and add its text to ``said``."""
    with tempfile.TemporaryFile() as text, contextlib.ExitStack() as stack:
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            _flush(stream)
            stack.callback(_back, os.dup(number), number)
            os.dup2(text.fileno(), number)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                yield
            finally:
                text.seek(0)
                said.append(printed.getvalue() + text.read().decode(errors="replace"))


def _back(kept: int, number: int) -> None:
    os.dup2(kept, number)
    os.close(kept)


def _flush(stream: object) -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        stream.flush()  # type: ignore[attr-defined]
