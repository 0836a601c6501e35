"""A check of an HDF5 file before Keras reads it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import h5py

from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile, allowed, shown

_HEAP = b"GCOL\x01"  # how a heap begins
_OBJECT = 16  # bytes before an object of a heap
_CONFIG = "model_config"  # of the older format, in which the whole model is one HDF5 file


def check_hdf5(contents: bytes | bytearray) -> int:
    """Return how many numbers a file has.

    Refused are links and data outside the file, more numbers than the file may inflate to, and
    what the library of HDF5 reads without end.
    """
    _check_heaps(contents)
    with h5py.File(io.BytesIO(contents), "r") as file:
        if isinstance(config := file.attrs.get(_CONFIG), str | bytes):
            json_text.parse(config.encode() if isinstance(config, str) else config)
        return sum(_sizes(file, allowed(len(contents))))


def _check_heaps(contents: bytes | bytearray) -> None:
    """Check the heaps with texts: the library goes from object to object by sizes in the file."""
    at = contents.find(_HEAP)
    while at >= 0:
        place, left = at + 16, _number(contents, at + 8) - 16
        whole = 0 <= left <= len(contents) - place
        while whole and left >= _OBJECT:
            is_free = contents[place : place + 2] == b"\0\0"
            size = _number(contents, place + 8)
            taken = size if is_free else _OBJECT + -(-size // 8) * 8
            place, left = place + taken, left - taken
            whole = taken >= _OBJECT and left >= 0
        if not whole:
            raise DamagedFile("it has a damaged heap")
        at = contents.find(_HEAP, at + 1)


def _number(contents: bytes | bytearray, at: int) -> int:
    return int.from_bytes(contents[at : at + 8], "little")


def _sizes(file: Any, left: int) -> Iterator[int]:
    groups, seen = [file], set()
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise DamagedFile(f"its {shown(repr(name))} is a link")
            found = group[name]
            if isinstance(found, h5py.Group) and found.id not in seen:  # they may form a circle
                seen.add(found.id)
                groups.append(found)
            elif isinstance(found, h5py.Dataset):
                if found.external or found.is_virtual:
                    raise DamagedFile(f"its {shown(repr(name))} lies outside")
                count = math.prod(found.shape or ())
                left -= count * found.dtype.itemsize
                if left < 0:
                    raise DamagedFile("it says that it has more numbers than it can have")
                yield count
