"""Tables as text: a header, and rows of as many cells, separated by commas, tabs or semicolons."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator
from typing import NamedTuple

from keras_convnets.readers.damage import DamagedFile, damage, shown, whole

_MOST = 128 << 20  # bytes
_DELIMITERS = (",", "\t", ";")
_TABS = (".tsv", ".tab")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Row(NamedTuple):
    """The cells of a row, and the number of its last line, from 1."""

    line: int
    cells: list[str]


class Table(NamedTuple):
    """A table.

    Attributes:
        header: the names of the columns.
        rows: the rows below it; lines without any cell are left out.
        sha256: the SHA-256 of the file.
    """

    header: list[str]
    rows: list[Row]
    sha256: str


def read(path: str | os.PathLike[str]) -> Table:
    """Return the table in a file, which is UTF-8, with or without a mark of the byte order.

    Raises:
        FileNotFoundError: there is no such file.
        NotADirectoryError: likewise, because its folder is a file.
        DamagedFile: it is no table; the error says what is wrong, in a few words, in which line.
    """
    body = whole(path, _MOST)
    with damage():
        text = _text(body)
        delimiter = "\t" if os.fspath(path).lower().endswith(_TABS) else _delimiter(text)
        rows = list(_rows(text, delimiter))
        if not rows:
            raise DamagedFile("it is empty")
        (_, header), *rest = rows
        header = [name.strip() for name in header]
        for line, cells in rest:
            if len(cells) != len(header):
                raise DamagedFile(
                    f"line {line} has {len(cells)} cells, but its header has {len(header)}"
                )
        return Table(header, rest, hashlib.sha256(body).hexdigest())


def _text(body: bytes) -> str:
    if body.startswith(_UTF_16):
        raise DamagedFile("it is UTF-16; expected UTF-8")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise DamagedFile(f"line {line} is not UTF-8") from error
    if (place := text.find("\0")) >= 0:
        raise DamagedFile(f"line {text.count(chr(10), 0, place) + 1} holds a NUL character")
    return text


def _delimiter(text: str) -> str:
    """Return what separates the names in the header: of several, what makes the most of them.

    Cells are not looked at, for labels may hold any of these characters.
    """

    def columns(delimiter: str) -> int:
        try:
            return len(next(_rows(text, delimiter), Row(0, [])).cells)
        except DamagedFile:  # quoted cells, with something else between them
            return 0

    return max(_DELIMITERS, key=columns)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DamagedFile(f"line {reader.line_num}: {shown(error)}") from error
        if cells is None:
            return
        if cells:
            yield Row(reader.line_num, cells)
