"""A check of an HDF5 file before Keras reads it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import h5py

from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile, allowed, shown

_CONFIG = "model_config"  # of the older format, in which the whole model is one HDF5 file


def check_hdf5(stream: BinaryIO, size: int) -> int:
    """Return how many numbers a file has.

    Links and data outside the file are refused, and more numbers than the file may inflate to.

    Args:
        stream: the file.
        size: its number of bytes.
    """
    with h5py.File(stream, "r") as file:
        if isinstance(config := file.attrs.get(_CONFIG), str | bytes):
            json_text.parse(config.encode() if isinstance(config, str) else config)
        return sum(_sizes(file, allowed(size)))


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
