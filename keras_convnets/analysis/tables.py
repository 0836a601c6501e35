"""Tables as console text, Markdown, CSV or plain data."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

from keras_convnets.printable import csv_cell, one_line, printable

_NARROWEST_NOTES = 80
_GAP = "   "
_NO_WIDTH = ("Mn", "Me", "Cf")  # letters that are drawn on the one before them


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its key in plain data, its title, and whether it contains numbers."""

    key: str
    title: str
    is_number: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns and rows, with an optional total and notes that explain the numbers."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()
    total: tuple[Any, ...] | None = None

    def to_text(self) -> str:
        """Return the table for a console."""
        titles = [column.title for column in self.columns]
        body = [[shown(value) for value in row] for row in self.rows]
        total = [] if self.total is None else [[shown(value) for value in self.total]]
        widths = [max(map(_width, cells)) for cells in zip(titles, *body, *total, strict=True)]
        rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
        rows = [self._line(row, widths) for row in (titles, *body, *total)]
        lines = [rows[0], rule, *rows[1 : 1 + len(body)]]
        lines += ["", rows[-1]] if total else []
        width = max(_NARROWEST_NOTES, *map(_width, lines))
        notes = (line for note in self.notes for line in textwrap.wrap(one_line(note), width))
        return "\n".join([*lines, "", *notes] if self.notes else lines)

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        aligned = []
        for cell, width, column in zip(cells, widths, self.columns, strict=True):
            space = " " * (width - _width(cell))
            aligned.append(space + cell if column.is_number else cell + space)
        return _GAP.join(aligned).rstrip()

    def to_markdown(self) -> str:
        """Return the table in Markdown, followed by the notes."""
        lines = [[column.title for column in self.columns]]
        lines.append(["---:" if column.is_number else "---" for column in self.columns])
        lines += [[_escaped(shown(value)) for value in row] for row in self.rows]
        if self.total is not None:
            lines.append([f"**{_escaped(shown(value))}**" if value else "" for value in self.total])
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([table, *(_escaped(one_line(note)) for note in self.notes)])

    def to_csv(self) -> str:
        """Return the table as CSV without the total; notes come first, in lines with ``#``.

        Names are printable, and no spreadsheet takes one as a formula: see `printable.csv_cell`.
        """
        out = io.StringIO()
        out.writelines(f"# {csv_cell(one_line(note))}\n" for note in self.notes)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(column.key for column in self.columns)
        writer.writerows([_plain(value) for value in row] for row in self.rows)
        return out.getvalue().rstrip("\n")

    def to_dict(self) -> dict[str, Any]:
        """Return the notes and rows as plain data that JSON can represent."""
        keys = [column.key for column in self.columns]
        rows = [dict(zip(keys, row, strict=True)) for row in self.rows]
        return {"notes": list(self.notes), "rows": rows}


def shown(value: Any) -> str:
    """Return a value formatted for display: 1,234,567; 64 × 56 × 56; empty for ``None``.

    Examples:
        >>> shown((64, 56, None))
        '64 × 56 × ?'
    """
    if value is None:
        return ""
    if isinstance(value, tuple):
        return sizes(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else printable(value)


def sizes(shape: Sequence[Any]) -> str:
    """Return sizes in the notation of papers, with ``?`` for an unknown size."""
    return " × ".join("?" if size is None else str(size) for size in shape)


def _width(text: str) -> int:
    """Return the columns that a text takes on a console: Chinese and Japanese letters take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.category(letter) in _NO_WIDTH for letter in text)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return "x".join("?" if size is None else str(size) for size in value)
    if isinstance(value, str):
        return csv_cell(value)
    return "" if value is None else value


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is: without links, emphasis, HTML or formulas."""
    return re.sub(r"[\\`*\[\]<|$]|(?<!\w)_|_(?!\w)|:(?=\w+:)", r"\\\g<0>", text)
