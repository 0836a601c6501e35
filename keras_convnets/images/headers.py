"""The sizes that image files say they have, read without decoding them.

Each is read where the decoder reads it, so that what it will allocate is known. TensorFlow also
decodes WebP, whatever a file is called.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

BMP, GIF_END, JPEG_END = b"BM", b";", b"\xff\xd9"

_JPEG, _PNG, _GIF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8"
# Markers of a JPEG: those of a frame, which has the size, and those without anything after them.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_SCAN, _END = 0xDA, 0xD9
_DECODED_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive
# What the header of a PNG may say: its kind of colours, and the bits of each.
_PNG_COLOURS = {
    *((0, bits) for bits in (1, 2, 4, 8, 16)),
    *((3, bits) for bits in (1, 2, 4, 8)),
    *((colours, bits) for colours in (2, 4, 6) for bits in (8, 16)),
}
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_OLD_BMP = 12  # the bytes of the header of the first version
_PICTURE, _EXTENSION = 0x2C, 0x21  # blocks of a GIF


class Header(NamedTuple):
    """What an encoded image says of itself.

    Attributes:
        rows: its rows.
        cols: its columns.
        all_pixels: the pixels of all its frames that will be decoded.
        end: for an animation, where its first frame ends, if nothing else is needed to decode it.
    """

    rows: int
    cols: int
    all_pixels: int
    end: int | None = None


def read(contents: bytes) -> Header:
    """Return the header of a JPEG, PNG, BMP, GIF or WebP.

    Raises:
        ValueError: it is none of these, or damaged.
    """
    try:
        if contents.startswith(_GIF):
            return _gif(contents)
        rows, cols = _size(contents)
        return Header(rows, cols, rows * cols)
    except (IndexError, struct.error) as error:
        raise ValueError("the header is not whole") from error


def is_usual(head: bytes, tail: bytes) -> bool:
    """Return whether a file begins and ends as a JPEG or PNG that is decoded to its end.

    Args:
        head: the first bytes, up to the frame of a JPEG at least.
        tail: the last bytes.
    """
    if head.startswith(_PNG):
        bits, colours = head[24:26] if len(head) > 25 else b"\0\0"
        return (colours, bits) in _PNG_COLOURS and tail.endswith(_PNG_END)
    if not head.startswith(_JPEG) or not tail.endswith(JPEG_END):
        return False
    try:
        place = _jpeg_frame(head)
        marker, precision, channels = head[place - 1], head[place + 2], head[place + 7]
    except (IndexError, ValueError, struct.error):
        return False
    return marker in _DECODED_FRAMES and precision == 8 and channels in (1, 3, 4)


def _size(contents: bytes) -> tuple[int, int]:
    if contents.startswith(_JPEG):
        return _jpeg(contents)
    if contents.startswith(_PNG) and contents[12:16] == b"IHDR":
        cols, rows = _unpacked(">II", contents, 16)
        return rows, cols
    if contents.startswith(BMP):
        return _bmp(contents)
    if contents.startswith(b"RIFF") and contents[8:12] == b"WEBP":
        return _webp(contents)
    raise ValueError("unknown format")


def _unpacked(layout: str, contents: bytes, start: int) -> tuple[int, ...]:
    return struct.unpack(layout, contents[start : start + struct.calcsize(layout)])


def _jpeg(contents: bytes) -> tuple[int, int]:
    rows, cols = _unpacked(">HH", contents, _jpeg_frame(contents) + 3)
    return rows, cols


def _jpeg_frame(contents: bytes) -> int:
    """Return where the first frame's header is, past the other segments, as libjpeg does."""
    place = 2
    while True:
        place = contents.index(b"\xff", place)
        while contents[place] == 0xFF:
            place += 1
        marker = contents[place]
        place += 1
        if marker in _FRAMES:
            return place
        if marker in (_SCAN, _END):
            raise ValueError("no frame")
        if marker and marker not in _ALONE:
            [length] = _unpacked(">H", contents, place)
            place += max(length, 2)


def _bmp(contents: bytes) -> tuple[int, int]:
    [header] = _unpacked("<I", contents, 14)
    cols, rows = _unpacked("<HH" if header == _OLD_BMP else "<ii", contents, 18)
    return abs(rows), abs(cols)  # rows below 0: from top to bottom


def _webp(contents: bytes) -> tuple[int, int]:
    kind = contents[12:16]
    if kind == b"VP8X":
        cols, rows = (int.from_bytes(contents[at : at + 3], "little") for at in (24, 27))
        return rows + 1, cols + 1
    if kind == b"VP8L":
        [bits] = _unpacked("<I", contents, 21)
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    cols, rows = _unpacked("<HH", contents, 26)
    return rows & 0x3FFF, cols & 0x3FFF


def _gif(contents: bytes) -> Header:
    """Return the header of a GIF, whose decoder decodes all frames to return the first one.

    The largest frame sets the size. If that is the first one, the others can be cut off.
    """
    frames = list(_gif_frames(contents))
    if not frames:
        raise ValueError("no frame")
    rows, cols, end = frames[0]
    most_rows, most_cols = max(frame[0] for frame in frames), max(frame[1] for frame in frames)
    if (rows, cols) == (most_rows, most_cols):
        return Header(rows, cols, rows * cols, end if len(frames) > 1 else None)
    return Header(most_rows, most_cols, sum(rows * cols for rows, cols, _ in frames))


def _gif_frames(contents: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the rows and columns of each frame and where it ends, up to the first damage."""
    place = 13 + _colours(contents[10])
    while place < len(contents):
        block = contents[place]
        if block == _EXTENSION:
            place = _past_parts(contents, place + 2)
        elif block == _PICTURE and place + 10 < len(contents):
            cols, rows = _unpacked("<HH", contents, place + 5)
            place = _past_parts(contents, place + 11 + _colours(contents[place + 9]))
            yield rows, cols, place
        else:
            return


def _colours(flags: int) -> int:
    """Return the bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _past_parts(contents: bytes, place: int) -> int:
    """Return the place after parts that each begin with their length; the last one has none."""
    end = len(contents)
    while place < end and contents[place]:
        place += contents[place] + 1
    return place + 1
