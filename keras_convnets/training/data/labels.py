"""Labels as texts: the names of the classes, in order, and a number or numbers for each image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_convnets.readers.csv_table import Row
from keras_convnets.received import shown
from keras_convnets.training.data.columns import is_number

SEPARATORS = "|;"
_SEPARATOR = re.compile(f"[{re.escape(SEPARATORS)}]")
_NO_NUMBERS = ("nan", "inf", "-inf", "infinity", "-infinity", "+inf", "none", "null")
_YES, _NO = ("1", "1.0"), ("0", "0.0")

Label = int | tuple[int, ...]


class Labels(NamedTuple):
    """The labels of images.

    Attributes:
        names: the names of the classes, by label.
        of_rows: the class of each image; if an image may have several, 0 or 1 for each class.
        has_several: whether an image may have several classes, or none.
    """

    names: tuple[str, ...]
    of_rows: list[Label]
    has_several: bool


def of_texts(rows: Sequence[Row], column: int) -> Labels:
    """Return the labels in a column, where a cell may hold several of them: ``cat|dog``.

    Classes are sorted, by number if all are numbers. Where any cell holds several, an empty one
    means none of the classes.

    Raises:
        ValueError: a label is missing or no number among numbers; the error says in which line.
    """
    cells = [row.cells[column].strip() for row in rows]
    has_several = any(map(_SEPARATOR.search, cells))
    texts = [_several(cell) if has_several else ((cell,) if cell else ()) for cell in cells]
    if not has_several:
        for row, found in zip(rows, texts, strict=True):
            if not found:
                raise ValueError(f"line {row.line} has no label; expected one in each row")
    names = _sorted(rows, texts)
    numbers = {name: number for number, name in enumerate(names)}
    return _numbered(names, [[numbers[name] for name in found] for found in texts])


def of_columns(rows: Sequence[Row], columns: Sequence[int], header: Sequence[str]) -> Labels:
    """Return the labels in columns of 0 and 1, one for each class, in their order.

    Raises:
        ValueError: a cell is neither 0 nor 1; the error says in which line.
    """
    found = []
    for row in rows:
        cells = [row.cells[column].strip() for column in columns]
        for column, cell in zip(columns, cells, strict=True):
            if cell not in _YES and cell not in _NO:
                raise ValueError(
                    f"line {row.line} has {shown(cell)} in {shown(header[column])}; expected 0 or "
                    "1 in each column of a class. Call a single column of labels 'label'"
                )
        found.append([number for number, cell in enumerate(cells) if cell in _YES])
    return _numbered(tuple(header[column] for column in columns), found)


def _several(cell: str) -> tuple[str, ...]:
    parts = (part.strip() for part in _SEPARATOR.split(cell))
    return tuple(dict.fromkeys(part for part in parts if part))


def _sorted(rows: Sequence[Row], texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the names of all classes, sorted."""
    first: dict[str, int] = {}
    for row, found in zip(rows, texts, strict=True):
        for name in found:
            first.setdefault(name, row.line)
    odd = [name for name in first if not is_number(name)]
    if odd and len(odd) < len(first) and all(name.lower() in _NO_NUMBERS for name in odd):
        raise ValueError(f"line {first[odd[0]]} has the label {shown(odd[0])}; expected a number")
    if odd:
        return tuple(sorted(first))
    values: dict[float, str] = {}
    for name, line in first.items():
        if (other := values.setdefault(float(name), name)) != name:
            raise ValueError(
                f"line {line} has the label {shown(name)}, and line {first[other]} {shown(other)}; "
                "expected each number written in one way"
            )
    return tuple(values[value] for value in sorted(values))


def _numbered(names: tuple[str, ...], found: Sequence[Sequence[int]]) -> Labels:
    if all(len(numbers) == 1 for numbers in found):
        return Labels(names, [numbers[0] for numbers in found], False)
    rows: list[Any] = []
    for numbers in found:
        there = set(numbers)
        rows.append(tuple(int(label in there) for label in range(len(names))))
    return Labels(names, rows, True)
