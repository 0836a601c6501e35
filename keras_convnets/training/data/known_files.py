"""The sizes of the files of a folder, as an earlier look at it found them.

They are kept in the user's own cache, so that a folder may be read-only. What is kept of a file
counts as long as the file is what it was: another size, time, or number on its disk, and it is
looked at again. What cannot be read is as if nothing were kept, and a lie is found out when the
file is decoded, where its own header counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.images import contents
from keras_convnets.images.looking import Look, looks, state
from keras_convnets.readers import json_text

FEWEST = 1000  # files of a folder that is worth it
_FORMAT = 2  # 1: sizes of photographs as they are stored, not as they are shown
_LARGEST = 2**28  # bytes of what is kept of a folder
_SETTLED = 2 * 10**9  # nanoseconds after which a change is seen in a file's times
_STATE = 5

Known = dict[str, list[int]]  # of each path: its state, rows, columns, and whether it is turned


class KnownFiles:
    """The sizes of the files of a folder.

    Args:
        root: the folder, a path without links.

    Attributes:
        turned: the paths of those looked at that may be JPEGs to be turned upright.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.turned: set[str] = set()
        self._known: Known | None = None
        self._found: Known = {}
        self._news = 0

    def sizes(self, paths: Sequence[str]) -> list[tuple[int, int] | None]:
        """Return the rows and columns of each file; ``None`` where only decoding can tell."""
        if self._known is None:
            self._known = _kept(self._root) if len(paths) >= FEWEST else {}
        found = [self._of(path) for path in paths]
        left = [path for path, size in zip(paths, found, strict=True) if size is None]
        started = time.time_ns()
        new = dict(zip(left, looks(left), strict=True))
        for path, look in new.items():
            self._note(path, look, started)
            if look.turns:
                self.turned.add(path)
        return [size or new[path].size for path, size in zip(paths, found, strict=True)]

    def keep(self) -> None:
        """Keep the sizes for the next look, if that is worth it and possible."""
        if not self._news or len(self._found) < FEWEST:
            return
        body = json.dumps(
            {"format": _FORMAT, "root": os.fspath(self._root), "files": self._found}
        ).encode()
        try:
            place = _place(self._root)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with files.replacing(place) as written:
                written.write_bytes(_digest(body) + b"\n" + body)
                written.chmod(0o600)
        except (
            OSError,
            ValueError,
            RuntimeError,
        ):  # no home, a full or read-only disk: it will be looked at again
            return

    def _of(self, path: str) -> tuple[int, int] | None:
        kept = (self._known or {}).get(path)
        if kept is None:
            return None
        try:
            now = state(os.stat(path))
        except OSError:
            return None
        if list(now) != kept[:_STATE]:
            return None
        self._found[path] = kept
        if kept[-1]:
            self.turned.add(path)
        return kept[_STATE], kept[_STATE + 1]

    def _note(self, path: str, look: Look, started: int) -> None:
        if look.size is None or look.state is None:
            return
        if max(look.state[-2:]) < started - _SETTLED:
            self._found[path] = [*look.state, *look.size, int(look.turns)]
            self._news += 1


def _place(root: Path) -> Path:
    """Return the file for a folder, in Keras' cache."""
    home = os.environ.get("KERAS_HOME")
    cache = Path(home) if home else Path("~/.keras").expanduser()
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
    return cache / "keras_convnets" / "folders" / f"{name}.json"


def _kept(root: Path) -> Known:
    """Return what is kept of a folder; nothing if it is damaged, or of something else."""
    try:
        digest, _, body = files.read_regular(_place(root), _LARGEST).partition(b"\n")
        if digest != _digest(body):
            return {}
        found = json_text.parse(body)
        if found["format"] != _FORMAT or found["root"] != os.fspath(root):
            return {}
        return {path: kept for path, kept in found["files"].items() if _is_entry(kept)}
    except (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError):
        return {}


def _is_entry(kept: Any) -> bool:
    if type(kept) is not list or len(kept) != _STATE + 3:
        return False
    if any(type(number) is not int for number in kept):
        return False
    rows, cols, _ = kept[_STATE:]
    return rows > 0 and cols > 0 and rows * cols <= contents.MOST_PIXELS


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
