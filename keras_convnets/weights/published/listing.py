"""The published files of weights as a table, and all that is known of one."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_convnets import checks
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.analysis.tables import shown as shown_value
from keras_convnets.received import shown
from keras_convnets.weights.published import fetch
from keras_convnets.weights.published.local_files import of_file
from keras_convnets.weights.published.published import Published, is_of, own_images_of, rows

_COLUMNS = (
    Column("name", "name"),
    Column("network", "network"),
    Column("top1", "top-1", is_number=True),
    Column("rows", "size", is_number=True),
    Column("file", "file"),
    Column("licence", "licence"),
)
_MORE = (
    Column("classes", "classes", is_number=True),
    Column("address", "address"),
    Column("hash", "hash"),
    Column("top1_source", "top-1 as told by"),
    Column("images", "images"),
    Column("here", "here"),
)


def chosen(name: str) -> tuple[Published, ...]:
    """Return the published files of a name: the network's, the file's or its own; or of a pattern.

    The path of a file that has the name of a published one also stands for it.

    Raises:
        ValueError: there are none.
    """
    found = tuple(row for row in rows() if _is_called(row, name))
    if not found and os.path.exists(name):
        return (_of_path(name),)
    if not found:
        known = dict.fromkeys(word for row in rows() for word in (row.network, row.name))
        raise ValueError(
            f"name: received {shown(name)}, of which no weights are published; expected a network, "
            f"or the name of weights.{checks.did_you_mean(name, known)} keras-convnets weights "
            "lists all."
        )
    return found


def _of_path(path: str) -> Published:
    row = of_file(path)
    if row is None:
        raise ValueError(
            f"name: received {shown(path)}, a path of no published file; expected a network, or "
            "the name of weights. keras-convnets convert prints what is in a file."
        )
    return row


def _is_called(row: Published, name: str) -> bool:
    """Return whether a name or pattern is that of a file, or of its network, or begins its name.

    A network may be called as its source calls it, such as ``"resnet50"``.
    """
    whole = any(fnmatch.fnmatchcase(one, name) for one in (row.network, row.name, row.file))
    return whole or row.name.startswith((f"{name}.", f"{name}/")) or is_of(row, name)


def listing(chosen: Iterable[Published]) -> Table:
    """Return the table of published files."""
    figures = (
        "top-1: accuracy on ImageNet's validation images in percent, as the source reports it. "
        "size: rows and columns of the images."
    )
    more = (
        "keras-convnets weights FILE prints all that is known of one file; --format json has it "
        "too, for all files of a network or a pattern."
    )
    return Table(_COLUMNS, tuple(tuple(_cells(row)) for row in chosen), (figures, more))


def details(chosen: Iterable[Published]) -> Table:
    """Return the table of all that is known of published files, and where they are here."""
    return Table((*_COLUMNS, *_MORE), tuple((*_cells(row), *_more(row)) for row in chosen))


def as_text(row: Published) -> str:
    """Return all that is known of a published file, a line for each fact."""
    titles = [column.title for column in (*_COLUMNS, *_MORE)]
    values = [*_cells(row), *_more(row)]
    return "\n".join(_line(title, value) for title, value in zip(titles, values, strict=True))


def _line(title: str, value: Any) -> str:
    return f"{title:<18}{shown_value(value) or 'unknown'}"


def _cells(row: Published) -> list[Any]:
    return [
        row.name,
        row.network,
        row.top1,
        row.rows,
        row.file,
        row.licence,
    ]


def _more(row: Published) -> list[Any]:
    place = fetch.found(row)
    looked = " and ".join(map(str, fetch.folders()))
    return [
        row.classes,
        row.address,
        row.hash,
        row.top1_source,
        in_words(own_images_of(row)),
        str(place) if place is not None else f"no; looked for in {looked}, then fetched",
    ]


def in_words(images: Mapping[str, Any]) -> str:
    """Return in words how images are prepared, from the configuration of their preprocessing."""
    resized = f"shorter side to {images['shorter_side']} ({images['interpolation']})"
    crop = f"{images['rows']} x {images['cols']} from the centre"
    text = f"{resized}, {crop}, pixels divided by {images['scale']:g}"
    if any(images["mean"]):
        text += f", minus {_shown_numbers(images['mean'])}"
    if set(images["std"]) != {1.0}:
        text += f", divided by {_shown_numbers(images['std'])}"
    return text


def _shown_numbers(values: Sequence[float]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
