"""Writing files so that nothing is ever half-written."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path to write to, and rename it to ``target`` once all is written.

    The path keeps the target's suffix, since writers choose the format by it. When the body
    raises, the file that stood at ``target`` stays as it was.

    Raises:
        ValueError: a file cannot be made beside ``target``.
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
