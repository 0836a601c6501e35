"""The first page of a TIFF, and no more of the file than that.

Pillow reads all tags of a page at once, and each may say that its value is as large as the file: a
small file can fill the memory. So the tags are added up before.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_COLS, _ROWS = 0x0100, 0x0101
_FOLDERS = (0x8769, 0x8825, 0xA005)  # tags that lead to tags which Pillow reads, too
_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # of a value of each type
_MOST_TAGS = 2**16
_SPARE = 2**16  # bytes of values that may be shared


class _Layout(NamedTuple):
    """How the tags of a file are written: in a classic TIFF, or in a large one."""

    start: str
    many: str
    entry: str
    value: str


_CLASSIC = _Layout("4xI", "H", "HHI4s", "I")
_LARGE = _Layout("8xQ", "Q", "HHQ8s", "Q")


class _Tags:
    """A folder of tags, and where the next one is said to be."""

    def __init__(self, contents: bytes, place: int, layout: _Layout, order: str) -> None:
        if place > len(contents):
            raise ValueError("the tags are beyond the end")
        [count] = struct.unpack_from(order + layout.many, contents, place)
        first = place + struct.calcsize(order + layout.many)
        size = struct.calcsize(order + layout.entry)
        self.next = first + count * size
        if self.next > len(contents) or count > _MOST_TAGS:
            raise ValueError("the tags are not whole, or too many")
        self.values: dict[int, int] = {}
        self.bytes = 0
        rows = struct.iter_unpack(order + layout.entry, contents[first : self.next])
        for tag, kind, many, value in rows:
            each = _BYTES[kind] if kind < len(_BYTES) else 0
            self.bytes += each * many if each * many > len(value) else 0
            short = each == 2
            [self.values[tag]] = struct.unpack_from(order + ("H" if short else layout.value), value)


def size(contents: bytes) -> tuple[int, int]:
    """Return the rows and columns of the first page.

    Raises:
        ValueError: there is none, or the values of its tags are larger than the file.
        struct.error: the file is cut off.
    """
    layout, order = _layout(contents)
    tags = _first(contents, layout, order)
    folders = [
        _Tags(contents, tags.values[tag], layout, order) for tag in _FOLDERS if tag in tags.values
    ]
    if tags.bytes + sum(folder.bytes for folder in folders) > len(contents) + _SPARE:
        raise ValueError("the values of the tags are larger than the file")
    if _ROWS not in tags.values or _COLS not in tags.values:
        raise ValueError("no size")
    return tags.values[_ROWS], tags.values[_COLS]


def first_page(contents: bytes) -> bytes:
    """Return a TIFF without any pages after the first one, none of which is looked at then."""
    layout, order = _layout(contents)
    after = _first(contents, layout, order).next
    end = after + struct.calcsize(order + layout.value)
    if not any(contents[after:end]):
        return contents
    return contents[:after] + bytes(end - after) + contents[end:]


def _layout(contents: bytes) -> tuple[_Layout, str]:
    order = "<" if contents[:2] == b"II" else ">"
    return _LARGE if b"+" in contents[2:4] else _CLASSIC, order


def _first(contents: bytes, layout: _Layout, order: str) -> _Tags:
    [place] = struct.unpack_from(order + layout.start, contents)
    return _Tags(contents, place, layout, order)
