"""Atomic writes of folders, and of files that belong together: all of them, or none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_convnets import files


@contextlib.contextmanager
def replacing_all(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path to write to, and put what is written in the place of ``target``.

    What is written there may be a folder, or a file with others beside it, which come to stand
    beside ``target``: for ``net.xml`` also ``net.bin``. What stood in their places is replaced.
    If the body raises, or one of them cannot be put in its place, all is left as it was.

    Raises:
        NotWritten: the folder may not be written to, or the disk is full.
    """
    with files.explained(target):
        place = Path(os.path.realpath(target) if os.path.islink(target) else target)
        prefix = f".{files.short(place.name)}."
        parts = tempfile.TemporaryDirectory(
            prefix=prefix, dir=place.parent, ignore_cleanup_errors=True
        )
        with parts as name:
            new, old = Path(name) / "new", Path(name) / "old"
            new.mkdir()
            old.mkdir()
            yield new / place.name
            _put(sorted(new.iterdir()), place.parent, old)


def _put(written: list[Path], parent: Path, old: Path) -> None:
    """Move what was written to its place, and what stands there away; or leave all as it was."""
    moves: list[tuple[Path, Path]] = []
    try:
        for path in written:
            place = parent / path.name
            if os.path.lexists(place):
                moves.append((place, old / path.name))
                place.rename(old / path.name)
            moves.append((path, place))
            path.rename(place)
    except BaseException:  # Ctrl-C, too
        for before, after in reversed(moves):
            if os.path.lexists(after) and not os.path.lexists(before):
                after.rename(before)
        raise
