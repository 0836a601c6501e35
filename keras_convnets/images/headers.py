"""What image files say of themselves, read without decoding them.

Sizes are read where the decoder reads them, so that what it will allocate is known. The header
also says which decoder reads the image right: TensorFlow's, which work in parallel and decode a
part of a JPEG alone, or else Pillow's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from keras_convnets.images import exif, kinds, tiff

JPEG_END = b"\xff\xd9"

# Markers of a JPEG: those of a frame, which has the size, and those without anything after them.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_SCAN, _END, _APP1, _APP14 = 0xDA, 0xD9, 0xE1, 0xEE
_DECODED_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive
_EXIF, _XMP, _ADOBE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Adobe"
# What the header of a PNG may say: its kind of colours, and the bits of each.
_PNG_COLOURS = {
    *((0, bits) for bits in (1, 2, 4, 8, 16)),
    *((3, bits) for bits in (1, 2, 4, 8)),
    *((colours, bits) for colours in (2, 4, 6) for bits in (8, 16)),
}
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_PNG_TURNS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_MOST_CHUNKS = 2**16
_OLD_BMP = 12  # the bytes of the header of the first version
_PICTURE, _EXTENSION = 0x2C, 0x21  # blocks of a GIF
_VP8, _VP8L = b"VP8 ", b"VP8L"
_READS_WEBP = hasattr(tf.raw_ops, "DecodeWebP")


class NotReadError(ValueError):
    """An image of a kind that is not read; the error says which, and what to do."""


class Header(NamedTuple):
    """What an encoded image says of itself.

    Attributes:
        rows: the rows of its pixels as they are stored; 0 if only its decoder knows.
        cols: their columns.
        kind: one of those of `kinds`.
        orientation: how TensorFlow's pixels are to be turned: see `exif.orientation`.
        by_pillow: whether Pillow is to decode it.
    """

    rows: int
    cols: int
    kind: str
    orientation: int = exif.UPRIGHT
    by_pillow: bool = True

    @property
    def shown(self) -> tuple[int, int]:
        """The rows and columns of the upright image."""
        return (self.cols, self.rows) if self.orientation > 4 else (self.rows, self.cols)


def read(contents: bytes) -> Header:
    """Return the header of an image.

    Raises:
        NotReadError: it is of a kind that is not read.
        ValueError: it is damaged.
    """
    kind = kinds.kind_of(contents)
    if kind is None:
        raise NotReadError(
            f"not an image: expected a {kinds.KINDS}" if contents else "an empty file"
        )
    if kind in kinds.NOT_READ:
        raise NotReadError(f"{kind}, which is not read; convert it to JPEG or PNG")
    try:
        return _READERS[kind](contents) if kind in _READERS else Header(0, 0, kind)
    except (IndexError, struct.error) as error:
        raise ValueError("the header is not whole") from error


def certain(head: bytes, tail: bytes) -> Header | None:
    """Return the header of a file that begins and ends as one that TensorFlow decodes to its end.

    Args:
        head: the first bytes, up to the frame of a JPEG at least.
        tail: the last bytes.

    Returns:
        The header; ``None`` if only decoding can tell whether the file is whole.
    """
    try:
        header = read(head)
    except ValueError:
        return None
    ends = {kinds.JPEG: JPEG_END, kinds.PNG: _PNG_END}
    if header.by_pillow or header.kind not in ends or not tail.endswith(ends[header.kind]):
        return None
    if header.kind == kinds.PNG and (*head[25:26], *head[24:25]) not in _PNG_COLOURS:
        return None
    return header


def is_jpeg_before_its_frame(head: bytes) -> bool:
    """Return whether the size of a JPEG comes after the bytes given."""
    if kinds.kind_of(head) != kinds.JPEG:
        return False
    try:
        _jpeg(head)
    except (IndexError, struct.error, ValueError):
        return True
    return False


def may_turn(head: bytes) -> bool:
    """Return whether an image may be a JPEG that is to be turned, by its first bytes."""
    if kinds.kind_of(head) != kinds.JPEG:
        return False
    try:
        return _jpeg(head).orientation != exif.UPRIGHT
    except (IndexError, struct.error, ValueError):
        return True


def _unpacked(layout: str, contents: bytes, start: int) -> tuple[int, ...]:
    return struct.unpack(layout, contents[start : start + struct.calcsize(layout)])


def _jpeg(contents: bytes) -> Header:
    """Return the header of a JPEG: that of its first frame."""
    has_adobe, found = False, {_EXIF: b"", _XMP: b""}
    for marker, place, end in _segments(contents):
        if marker == _APP1:
            for start in found:
                if not found[start] and contents.startswith(start, place):
                    found[start] = contents[place + len(start) : end]
        elif marker == _APP14:
            has_adobe |= contents.startswith(_ADOBE, place)
    bits, rows, cols, channels = _unpacked(">BHHB", contents, place)
    if bits != 8:
        raise NotReadError(f"a JPEG of {bits} bits, which is not read; convert it to 8 bits")
    # Without Adobe's segment, TensorFlow takes inks for colours; all others take them for inks.
    usual = marker in _DECODED_FRAMES and (channels in (1, 3) or (channels == 4 and has_adobe))
    turn = exif.orientation(found[_EXIF], found[_XMP])
    return Header(rows, cols, kinds.JPEG, turn, by_pillow=not usual)


def _segments(contents: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each segment's marker, start and end up to the first frame, as libjpeg finds it."""
    place = 2
    while True:
        place = contents.index(b"\xff", place)
        while contents[place] == 0xFF:
            place += 1
        marker = contents[place]
        place += 1
        if marker in (_SCAN, _END):
            raise ValueError("no frame")
        if not marker or marker in _ALONE:
            continue
        [length] = _unpacked(">H", contents, place)
        yield marker, place + 2, place + length
        if marker in _FRAMES:
            return
        place += max(length, 2)


def _png(contents: bytes) -> Header:
    """Return the header of a PNG; Pillow decodes it if it may have to be turned."""
    if contents[12:16] != b"IHDR":
        raise ValueError("no header")
    cols, rows = _unpacked(">II", contents, 16)
    place = 33
    for _ in range(_MOST_CHUNKS):
        start = contents[place : place + 8]
        if len(start) < 8:
            break
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind == b"eXIf":
            body = contents[place + 8 : place + 8 + length]
            if exif.orientation(body) != exif.UPRIGHT:
                return Header(rows, cols, kinds.PNG)
        elif kind in _PNG_TEXTS and contents.startswith(_PNG_TURNS, place + 8):
            return Header(rows, cols, kinds.PNG)
        place += 12 + length
    return Header(rows, cols, kinds.PNG, by_pillow=False)


def _bmp(contents: bytes) -> Header:
    [header] = _unpacked("<I", contents, 14)
    cols, rows = _unpacked("<HH" if header == _OLD_BMP else "<ii", contents, 18)
    return Header(abs(rows), abs(cols), kinds.BMP)  # rows below 0: from top to bottom


def _webp(contents: bytes) -> Header:
    """Return the header of a WebP; TensorFlow reads those without alpha, frames and metadata."""
    kind = contents[12:16]
    if kind == _VP8L:
        [bits] = _unpacked("<I", contents, 21)
        plain = _READS_WEBP and not bits >> 28 & 1
        rows, cols = (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
        return Header(rows, cols, kinds.WEBP, by_pillow=not plain)
    if kind == _VP8:
        cols, rows = _unpacked("<HH", contents, 26)
        return Header(rows & 0x3FFF, cols & 0x3FFF, kinds.WEBP, by_pillow=not _READS_WEBP)
    cols, rows = (int.from_bytes(contents[at : at + 3], "little") for at in (24, 27))
    return Header(rows + 1, cols + 1, kinds.WEBP)


def _gif(contents: bytes) -> Header:
    """Return the header of a GIF: its screen, or the first frame if that is larger."""
    cols, rows = _unpacked("<HH", contents, 6)
    place, end = 13 + _colours(contents[10]), len(contents)
    while place < end and contents[place] == _EXTENSION:
        place += 2
        while place < end and contents[place]:  # parts, each after its length; the last has none
            place += contents[place] + 1
        place += 1
    if contents[place] != _PICTURE:
        raise ValueError("no frame")
    left, top, wide, high = _unpacked("<HHHH", contents, place + 1)
    return Header(max(rows, top + high), max(cols, left + wide), kinds.GIF)


def _colours(flags: int) -> int:
    """Return the bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _tiff(contents: bytes) -> Header:
    return Header(*tiff.size(contents), kinds.TIFF)


_READERS: dict[str, Callable[[bytes], Header]] = {
    kinds.JPEG: _jpeg,
    kinds.PNG: _png,
    kinds.WEBP: _webp,
    kinds.TIFF: _tiff,
    kinds.GIF: _gif,
    kinds.BMP: _bmp,
}
