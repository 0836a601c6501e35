"""The columns of a table of images: which holds the paths, which the labels, which the parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from keras_convnets.readers.csv_table import Table
from keras_convnets.received import shown
from keras_convnets.training.data.image_files import is_named_image
from keras_convnets.training.words import class_list

_PATHS = {"path", "file", "filename", "filepath", "image", "images", "img", "imagepath", "imgpath"}
_PATHS |= {"imagefile", "imagename", "filenames", "paths", "files", "imageid"}
_LABELS = {"label", "labels", "class", "classes", "category", "categories", "target", "targets"}
_LABELS |= {"tag", "tags", "classname", "labelname", "y"}
_SPLITS = {"split", "set", "subset", "fold", "partition"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Columns(NamedTuple):
    """The places of the columns of a table.

    Attributes:
        path: of the paths of the images.
        labels: of the labels: one column, or one for each class.
        split: of the parts of the data; ``None`` if there is none.
        words: what was recognised, in a line.
    """

    path: int
    labels: tuple[int, ...]
    split: int | None
    words: str


def columns_of(table: Table) -> Columns:
    """Return the columns of a table, by their usual names, otherwise by their order.

    Raises:
        ValueError: there are too few, or two are called alike; the error says so in a few words.

    Examples:
        >>> from keras_convnets.readers.csv_table import Row
        >>> columns_of(Table(["image", "Class"], [Row(2, ["a.png", "cat"])], "")).words
        "paths in 'image', labels in 'Class'"
        >>> columns_of(Table(["id", "cat", "dog"], [Row(2, ["a.png", "0", "1"])], "")).words
        "paths in 'id', labels in 2 columns ('cat', 'dog')"
    """
    header = table.header
    _check_header(header)
    named = [number for number, name in enumerate(header) if name]
    path = _first(header, named, _PATHS)
    labels = _first(header, [one for one in named if one != path], _LABELS)
    split = _first(header, [one for one in named if one not in (path, labels)], _SPLITS)
    rest = [one for one in named if one not in (path, labels, split)]
    if path is None and rest:
        path = rest.pop(0)
    if path is None or (labels is None and not rest):
        raise ValueError(
            f"its header has the columns {class_list(header)}; expected one of the paths of the "
            "images and one of their labels, separated by commas, tabs or semicolons"
        )
    of_labels = (labels,) if labels is not None else _without_name(table, rest)
    used = {path, split, *of_labels}
    return Columns(
        path, of_labels, split, _words(header, path, of_labels, split, set(named) - used)
    )


def is_number(text: str) -> bool:
    """Return whether a cell is a finite number."""
    return _NUMBER.fullmatch(text) is not None


def _first(header: Sequence[str], among: Sequence[int], known: set[str]) -> int | None:
    """Return the first column that is called by a known name."""
    plain = (re.sub(r"[\W_]+", "", header[one]).lower() for one in among)
    return next((one for one, name in zip(among, plain, strict=True) if name in known), None)


def _without_name(table: Table, rest: Sequence[int]) -> tuple[int, ...]:
    """Return the columns of labels where no column is called so: the next, or all if numbers."""
    cells = table.rows[0].cells if table.rows else table.header
    if len(rest) > 1 and all(is_number(cells[one].strip()) for one in rest):
        return tuple(rest)
    return (rest[0],)


def _check_header(header: Sequence[str]) -> None:
    if any(map(is_named_image, header)):
        image = next(filter(is_named_image, header))
        raise ValueError(
            f"its first line holds {shown(image)}; expected the names of the columns in it, such "
            "as path,label"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ValueError(f"its header has {shown(twice[0])} twice")


def _words(
    header: Sequence[str], path: int, labels: Sequence[int], split: int | None, unread: set[int]
) -> str:
    said = [f"paths in {shown(header[path])}"]
    if len(labels) == 1:
        said.append(f"labels in {shown(header[labels[0]])}")
    else:
        names = class_list([header[one] for one in labels])
        said.append(f"labels in {len(labels)} columns ({names})")
    if split is not None:
        said.append(f"parts in {shown(header[split])}")
    if unread:
        said.append(f"not read: {class_list([header[one] for one in sorted(unread)])}")
    return ", ".join(said)
