"""How a photograph is to be turned: cameras say so in EXIF, and editors in XMP."""

from __future__ import annotations

import re
import struct

UPRIGHT = 1
_BEFORE = b"Exif\0\0"
_TAG = 0x0112
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ENTRY = "HHI4s"  # the tag, its type, its count and its value
_TYPES = {1: "B", 3: "H", 4: "I"}
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def orientation(exif: bytes = b"", xmp: bytes = b"") -> int:
    """Return how the pixels of an image are to be turned, 1 to 8; 1 if it does not say.

    XMP counts only where EXIF does not say, as in Pillow.

    Args:
        exif: what is in the file, with or without ``Exif`` before it.
        xmp: what is in the file.

    Examples:
        >>> from PIL import Image
        >>> said = Image.Exif()
        >>> said[0x0112] = 6
        >>> orientation(said.tobytes())
        6
        >>> orientation(xmp=b'<rdf:Description tiff:Orientation="8"/>')
        8
        >>> orientation(b"Exif")
        1
    """
    found = _of_exif(exif.removeprefix(_BEFORE))
    if found is None and (said := _XMP.search(xmp)):
        found = int(said[1])
    return found if found is not None and 1 <= found <= 8 else UPRIGHT


def _of_exif(exif: bytes) -> int | None:
    order = _ORDERS.get(exif[:4])
    if order is None or len(exif) < 8:
        return None
    [start] = struct.unpack_from(f"{order}I", exif, 4)
    count = int.from_bytes(exif[start : start + 2], "little" if order == "<" else "big")
    whole = exif[start + 2 : start + 2 + 12 * count]
    entries = struct.iter_unpack(order + _ENTRY, whole[: len(whole) // 12 * 12])
    for tag, kind, many, value in entries:
        if tag == _TAG:
            known = many == 1 and kind in _TYPES
            return struct.unpack_from(order + _TYPES[kind], value)[0] if known else UPRIGHT
    return None
