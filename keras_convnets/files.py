"""Atomic file writes: a file is either written completely or left unchanged."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path to write to, and rename it to ``target`` at the end.

    The path has the same suffix as the target, because writers choose the format by it. If the body
    raises, an existing file at ``target`` is left unchanged.

    Raises:
        ValueError: if no file can be created in the folder of ``target``.
    """
    target = Path(target)
    try:
        folder = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise ValueError(
            f"cannot write {str(target)!r}: {error.strerror}. Name a file in a folder that exists "
            "and that you may write to."
        ) from error
    with folder:
        written = Path(folder.name) / target.name
        yield written
        try:
            written.replace(target)
        except OSError as error:
            raise ValueError(
                f"cannot write {str(target)!r}: {error.strerror}. Name another file."
            ) from error
