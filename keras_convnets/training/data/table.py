"""A table of images and their labels, as CSV; every file in it is looked at before a run starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_convnets import files
from keras_convnets.readers import csv_table
from keras_convnets.readers.csv_table import Row, Table
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.received import shown
from keras_convnets.training.data import labels as table_labels
from keras_convnets.training.data.columns import Columns, columns_of
from keras_convnets.training.data.copies import copied
from keras_convnets.training.data.folder import SIZE
from keras_convnets.training.data.image_files import Part, check_strict, images_of
from keras_convnets.training.data.known_files import KnownFiles
from keras_convnets.training.data.labels import Labels
from keras_convnets.training.data.listed import Listed
from keras_convnets.training.data.source import Source
from keras_convnets.training.data.splits import PARTS, TRAIN, part_of

_REMEDY = "Mend the table, or list the images in another one."


def load(name: str, data_dir: Path | None, strict: bool) -> Source:
    """Return the images that a table lists.

    Args:
        name: the path of the table.
        data_dir: the folder that its paths start from; by default its own.
        strict: refuse files that are not images, instead of leaving them out.

    Raises:
        ValueError: the table does not exist or cannot be read, names no labels or images that are
            missing, contradicts itself, or, if ``strict``, something would be left out.
    """
    file = _file(name)
    try:
        table = csv_table.read(file)
        columns = columns_of(table)
        found = _labels(table, columns)
        of_rows = _splits(table.rows, columns.split)
        listed = Listed(file.parent if data_dir is None else data_dir)
        listed.add(table.rows, columns.path, found.of_rows, of_rows)
        _check_trained(found, listed)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"data: received {files.shown(f'csv:{name}')}; expected a file that exists. Name a "
            "table with a header, and a column of paths and one of labels."
        ) from None
    except ValueError as error:
        reason = str(error).rstrip(".")
        if not isinstance(error, DamagedFile) and "expected" not in reason:
            reason += "; expected paths and labels below a header"
        raise ValueError(f"data: cannot use {files.shown(file)}: {reason}. {_REMEDY}") from error
    return _source(file, table, columns, found, listed, strict)


def _source(
    file: Path, table: Table, columns: Columns, found: Labels, listed: Listed, strict: bool
) -> Source:
    known = KnownFiles(file)
    parts = {}
    for name, rows in listed.parts.items():
        parts[name] = Part(listed.place)
        parts[name].take(rows, known)
    known.keep()
    skipped = [*listed.skipped, *(line for part in parts.values() for line in part.skipped)]
    if strict:
        check_strict(files.shown(file), skipped)
    _check_left(parts, found)
    images = images_of(parts)
    words = [f"{file.name}: {columns.words}", *_of_several(found), *images.pop("words")]
    if images[TRAIN].array is None:
        words += copied(parts, listed.bytes_of)
    return Source(
        name=file.stem,
        class_names=found.names,
        augmentation="resized-crop",
        size=(SIZE, SIZE),
        resize="crop",
        skipped=tuple(skipped),
        words=tuple(words),
        contents=table.sha256,
        **images,
    )


def _file(name: str) -> Path:
    if not name or "\0" in name:
        raise ValueError(
            f"data: received {files.shown(f'csv:{name}')}; expected the path of a table. Name one."
        )
    return Path(os.path.realpath(files.absolute("data", name)))


def _labels(table: Table, columns: Columns) -> Labels:
    if not table.rows:
        raise ValueError("it has a header and no rows; expected a row for each image")
    if len(columns.labels) > 1:
        return table_labels.of_columns(table.rows, columns.labels, table.header)
    return table_labels.of_texts(table.rows, columns.labels[0])


def _splits(rows: Sequence[Row], column: int | None) -> list[str]:
    """Return the part of the data that each row belongs to."""
    if column is None:
        return [TRAIN] * len(rows)
    known: dict[str, str | None] = {}
    found = []
    for row in rows:
        cell = row.cells[column]
        part = known[cell] if cell in known else known.setdefault(cell, part_of(cell))
        if part is None:
            raise ValueError(
                f"line {row.line} has the part {shown(cell.strip())}; expected train, val or test "
                "in each row"
            )
        found.append(part)
    if TRAIN not in found:
        raise ValueError(f"no row has the part train; expected {', '.join(PARTS)}")
    return found


def _check_trained(found: Labels, listed: Listed) -> None:
    """Refuse classes without training images."""
    if len(found.names) < 2:
        raise ValueError(f"all labels are {shown(found.names[0])}; expected at least two classes")
    missing = _untrained((label for _, label in listed.parts[TRAIN]), found)
    if missing:
        raise ValueError(
            f"no training image has the class {shown(missing)}; expected some of each class"
        )


def _check_left(parts: dict[str, Part], found: Labels) -> None:
    """Refuse classes of which all images were left out, and parts."""
    for name, part in parts.items():
        if not part.names:
            raise ValueError(
                f"data: none of the {name} images can be read ({part.skipped[0]}); expected some. "
                f"{_REMEDY}"
            )
    if missing := _untrained(parts[TRAIN].labels, found):
        raise ValueError(
            f"data: no training image of the class {shown(missing)} can be read; expected some of "
            f"each class. {_REMEDY}"
        )


def _untrained(labels: Iterable[table_labels.Label], found: Labels) -> str | None:
    """Return a class that none of the labels has."""
    if found.has_several:
        counts = np.zeros(len(found.names), np.int64)
        for label in labels:
            counts += np.asarray(label)
    else:
        counts = np.bincount(np.fromiter(labels, np.int64), minlength=len(found.names))
    return None if counts.all() else found.names[int(counts.argmin())]


def _of_several(found: Labels) -> list[str]:
    if not found.has_several:
        return []
    counts = [sum(label) for label in found.of_rows if isinstance(label, tuple)]
    none = sum(count == 0 for count in counts)
    several = sum(count > 1 for count in counts)
    return [
        f"an image may have several classes: {several:,} rows have more than one, {none:,} none"
    ]
