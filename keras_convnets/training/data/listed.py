"""The image files that a table lists, each once and in one part of the data."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_convnets.readers.csv_table import Row
from keras_convnets.received import shown
from keras_convnets.training.data.splits import PARTS, TRAIN

_MISSING = "no such file"


class _Entry(NamedTuple):
    line: int
    label: Any
    part: str


class Listed:
    """Files with a label each, by the part of the data.

    Args:
        place: the folder that paths start from.

    Attributes:
        parts: the paths of each part as they are written, with their labels.
        skipped: the rows that were left out, each with the reason.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.parts: dict[str, list[tuple[str, Any]]] = {}
        self.skipped: list[str] = []
        self._bytes: dict[str, int] = {}
        self._missing: list[tuple[int, str, str]] = []

    def bytes_of(self, name: str) -> int:
        """Return the size of a file; -1 if it is unknown."""
        return self._bytes.get(name, -1)

    def add(
        self, rows: Sequence[Row], column: int, labels: Sequence[Any], parts: Sequence[str]
    ) -> None:
        """Add the files of rows, those to train on first.

        Raises:
            ValueError: a path is empty, or leads to nothing, or has two labels; the error says so
                in a few words, with the line.
        """
        seen: dict[Any, _Entry] = {}
        entries = list(zip(rows, labels, parts, strict=True))
        for part in PARTS:
            for row, label, of in entries:
                if of == part:
                    self._add(row.cells[column].strip(), _Entry(row.line, label, part), seen)
        if self._missing:
            line, path, reason = min(self._missing)
            more = f", and so for {len(self._missing) - 1:,} others" if self._missing[1:] else ""
            raise ValueError(
                f"line {line} names {shown(path)}: {reason} in {shown(str(self.place))}{more}; "
                "expected paths from there, or from the folder of --data-dir (data_dir)"
            )

    def _add(self, path: str, entry: _Entry, seen: dict[Any, _Entry]) -> None:
        if not path:
            raise ValueError(f"line {entry.line} has no path; expected one in each row")
        try:
            status = os.stat(os.path.join(self.place, path))
        except (FileNotFoundError, NotADirectoryError):
            self._missing.append((entry.line, path, _MISSING))
            return
        except (OSError, ValueError) as error:  # ValueError: what no path can hold
            self._missing.append((entry.line, path, getattr(error, "strerror", None) or str(error)))
            return
        if stat.S_ISDIR(status.st_mode):
            self._missing.append((entry.line, path, "a folder, not a file,"))
            return
        first = seen.setdefault((status.st_dev, status.st_ino), entry)
        if first.label != entry.label:
            raise ValueError(
                f"line {entry.line} gives {shown(path)} another label than line {first.line}; "
                "expected one row for each image, with several labels in one cell as cat|dog"
            )
        if first is not entry:
            is_trained = first.part == TRAIN and entry.part != TRAIN
            what = "which is trained on" if is_trained else "which is the same file"
            self.skipped.append(
                f"{path}: in line {entry.line} again after line {first.line}, {what}"
            )
            return
        self._bytes[path] = status.st_size
        self.parts.setdefault(entry.part, []).append((path, entry.label))
