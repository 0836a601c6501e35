"""The fields of a message of protobuf, of which only the wanted ones are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from keras_convnets.readers.damage import DamagedFile, take

_VARINT, _EIGHT_BYTES, _TEXT, _FOUR_BYTES = 0, 1, 2, 5  # the wire types
_MOST = 100_000  # fields
_LONGEST = 10  # bytes of a number


def texts(stream: BinaryIO, end: int, number: int, most: int) -> Iterator[bytes]:
    """Yield the contents of the fields of one number in a message that a file holds.

    All others are skipped, however large they are.

    Args:
        stream: the file, or another stream of bytes.
        end: how many bytes it has.
        number: the number of the fields, whose contents are texts, bytes or messages.
        most: how many bytes they may have together.
    """
    for _ in range(_MOST):
        if stream.tell() == end:
            return
        key = _number(stream)
        size = _size(stream, key & 7)
        if size > end - stream.tell():
            raise DamagedFile(f"it ends within a field of {size:,} bytes")
        if key >> 3 == number and key & 7 == _TEXT:
            most -= size
            if most < 0:
                raise DamagedFile(f"its fields {number} have too many bytes")
            yield bytes(take(stream, size))
        else:
            stream.seek(size, 1)
    raise DamagedFile(f"it has more than {_MOST:,} fields")


def _size(stream: BinaryIO, wire_type: int) -> int:
    """Return the bytes of a field from here on."""
    if wire_type == _TEXT:
        return _number(stream)
    if wire_type == _VARINT:
        _number(stream)
        return 0
    if wire_type not in (_EIGHT_BYTES, _FOUR_BYTES):
        raise DamagedFile(f"it has a field of the wire type {wire_type}; expected 0, 1, 2 or 5")
    return 8 if wire_type == _EIGHT_BYTES else 4


def _number(stream: BinaryIO) -> int:
    """Return a number, seven bits a byte, the last byte below 128."""
    found = 0
    for place in range(_LONGEST):
        [byte] = take(stream, 1)
        found |= (byte & 127) << 7 * place
        if byte < 128:
            return found
    raise DamagedFile(f"it has a number of more than {_LONGEST} bytes")
