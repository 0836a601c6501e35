"""Files of safetensors: a header of JSON that says where each tensor is, then their values.

The library of that name maps the file into memory, where a file that is cut meanwhile ends the
process, and has no bfloat16 for NumPy. So the values are read here, and what that library refuses
is refused: holes, overlaps, and bytes after the last tensor.
"""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from keras_convnets.readers import json_text, numeric
from keras_convnets.readers.damage import DamagedFile, block, shown, size_of, take

_LONGEST_HEADER = 100_000_000  # as the library's own limit
_LENGTH = struct.Struct("<Q")
_METADATA = "__metadata__"
_BFLOAT16 = "BF16"
_CODES = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    _BFLOAT16: "<u2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}


class _Entry(NamedTuple):
    """What the header says of a tensor."""

    kind: str
    shape: tuple[int, ...]
    start: int
    end: int


def is_safetensors(start: bytes, size: int) -> bool:
    """Return whether a file of so many bytes that starts so may be one of these."""
    if len(start) <= _LENGTH.size:
        return False
    (length,) = _LENGTH.unpack(start[: _LENGTH.size])
    return start[_LENGTH.size :][:1] == b"{" and length < 2**40


def read_safetensors(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name, in the order of their values."""
    header, left = _header(stream)
    header.pop(_METADATA, None)
    entries = {name: _entry(name, found) for name, found in header.items()}
    ordered = sorted(entries, key=lambda name: (entries[name].start, entries[name].end))
    end = 0
    for name in ordered:
        if entries[name].start != end:
            raise DamagedFile(f"its tensor {shown(repr(name))} does not begin where another ends")
        end = entries[name].end
    if end != left:
        raise DamagedFile(f"its tensors have {end:,} bytes, of {left:,} that are there")
    return {name: _array(stream, entries[name]) for name in ordered}


def read_metadata(stream: BinaryIO) -> dict[str, str]:
    """Return the texts by name that a file has beside its arrays."""
    found = _header(stream)[0].get(_METADATA, {})
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise DamagedFile("its metadata are not texts by name")
    return found


def _header(stream: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header, and how many bytes follow it."""
    (length,) = _LENGTH.unpack(take(stream, _LENGTH.size))
    left = size_of(stream) - _LENGTH.size
    if length > min(left, _LONGEST_HEADER):
        raise DamagedFile(f"its header has {length:,} bytes, of {left:,} that are there")
    header = json_text.parse(take(stream, length), object_pairs_hook=_different)
    if not isinstance(header, dict):
        raise DamagedFile("its header is not an object")
    return header, left - length


def _different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DamagedFile("its header has a name twice")
    return found


def _entry(name: str, found: Any) -> _Entry:
    match found:
        case {"dtype": str(kind), "shape": list(shape), "data_offsets": [int(start), int(end)]}:
            if kind in _CODES and numeric.is_shape(tuple(shape)) and 0 <= start <= end:
                return _Entry(kind, tuple(shape), start, end)
            if kind not in _CODES:
                raise DamagedFile(
                    f"its tensor {shown(repr(name))} is of type {shown(repr(kind))}; expected "
                    f"one of {', '.join(_CODES)}"
                )
    raise DamagedFile(f"its header does not describe the tensor {shown(repr(name))}")


def _array(stream: BinaryIO, entry: _Entry) -> np.ndarray:
    contents = block(stream, entry.end - entry.start)
    if entry.kind == _BFLOAT16:
        return numeric.bfloat16(entry.shape, contents)
    return numeric.array(_CODES[entry.kind], entry.shape, contents)
