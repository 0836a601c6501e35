"""Tables as console text, Markdown, CSV or plain data."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import re
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from keras_convnets.printable import csv_cell, one_line, printable

_NARROWEST_NOTES = 80
_GAP = "   "
_LONG, _SHORT = 24, 8  # the widths to which names are cut on a narrow console: first, and at least
_NO_WIDTH = ("Mn", "Me", "Cf")  # letters that are drawn on the one before them


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        key: its key in plain data.
        title: its title for people.
        is_number: whether it contains numbers.
        missing: what people see in place of ``None``.
        is_detail: whether only CSV and plain data have it.
        is_optional: whether a narrow console may do without it.
    """

    key: str
    title: str
    is_number: bool = False
    missing: str = ""
    is_detail: bool = False
    is_optional: bool = False

    def shown(self, value: Any) -> str:
        """Return one of its values formatted for display."""
        return self.missing if value is None else shown(value)


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns and rows, with an optional total and notes that explain the numbers."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()
    total: tuple[Any, ...] | None = None

    def only(self, keys: Collection[str]) -> Table:
        """Return the table with only some of its columns."""
        kept = [column.key in keys for column in self.columns]

        def cut(row: Iterable[Any]) -> tuple[Any, ...]:
            return tuple(itertools.compress(row, kept))

        total = None if self.total is None else cut(self.total)
        return Table(cut(self.columns), tuple(map(cut, self.rows)), self.notes, total)

    def for_people(self) -> Table:
        """Return the table without its details."""
        if not any(column.is_detail for column in self.columns):
            return self
        return self.only([column.key for column in self.columns if not column.is_detail])

    def to_text(self, width: int | None = None) -> str:
        """Return the table for a console.

        Args:
            width: the columns of the console. Where they do not suffice, names are cut, and
                optional columns are left out, the last one first. By default, there is no limit.
        """
        table = self.for_people()
        if width is None:
            return table._text(max(_NARROWEST_NOTES, table._width()))
        return table._fitted(width)._text(width)

    def _fitted(self, width: int) -> Table:
        table = self if self._width() <= width else self._shortened(_LONG)
        for column in reversed(self.columns):
            if column.is_optional and table._width() > width:
                table = table.only([kept.key for kept in table.columns if kept is not column])
        left = max(map(_width, table._cells()[0])) - max(0, table._width() - width)
        return table._shortened(max(_SHORT, left))

    def _shortened(self, most: int) -> Table:
        """Return the table with its names cut to a width."""

        def cut(row: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(_cut(value, most) if isinstance(value, str) else value for value in row)

        total = None if self.total is None else cut(self.total)
        return Table(self.columns, tuple(map(cut, self.rows)), self.notes, total)

    def _cells(self) -> list[tuple[str, ...]]:
        """Return the texts of each column: its title, its values and its total."""
        titles = [column.title for column in self.columns]
        rows = [*self.rows] if self.total is None else [*self.rows, self.total]
        return list(zip(titles, *map(self._shown, rows), strict=True))

    def _widths(self) -> list[int]:
        return [max(map(_width, cells)) for cells in self._cells()]

    def _width(self) -> int:
        return sum(self._widths()) + len(_GAP) * (len(self.columns) - 1)

    def _text(self, notes_width: int) -> str:
        widths = self._widths()
        rows = [self._line(row, widths) for row in zip(*self._cells(), strict=True)]
        end = 1 + len(self.rows)
        lines = [rows[0], "─" * self._width(), *rows[1:end]]
        lines += [] if self.total is None else ["", rows[end]]
        wrapped = (textwrap.wrap(one_line(note), notes_width) for note in self.notes)
        notes = list(itertools.chain.from_iterable(wrapped))
        return "\n".join([*lines, "", *notes] if notes else lines)

    def _shown(self, row: Sequence[Any]) -> list[str]:
        return [column.shown(value) for column, value in zip(self.columns, row, strict=True)]

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        aligned = []
        for cell, width, column in zip(cells, widths, self.columns, strict=True):
            space = " " * (width - _width(cell))
            aligned.append(space + cell if column.is_number else cell + space)
        return _GAP.join(aligned).rstrip()

    def to_markdown(self) -> str:
        """Return the table in Markdown, followed by the notes."""
        return self.for_people()._markdown()

    def _markdown(self) -> str:
        lines = [[column.title for column in self.columns]]
        lines.append(["---:" if column.is_number else "---" for column in self.columns])
        lines += [list(map(_escaped, self._shown(row))) for row in self.rows]
        if self.total is not None:
            total = map(_escaped, self._shown(self.total))
            lines.append([f"**{text}**" if text else "" for text in total])
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


def _cut(text: str, most: int) -> str:
    """Return a printable text, or its start where it takes more columns of a console."""
    text = printable(text)
    if _width(text) <= most:
        return text
    while _width(text) >= most:
        text = text[:-1]
    return f"{text}…"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return "x".join("?" if size is None else str(size) for size in value)
    if isinstance(value, str):
        return csv_cell(value)
    return "" if value is None else value


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is: without links, emphasis, HTML or formulas."""
    return re.sub(r"[\\`*\[\]<|$]|(?<!\w)_|_(?!\w)|:(?=\w+:)", r"\\\g<0>", text)
