"""A check of an HDF5 file before Keras reads it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import h5py

from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile, allowed, shown
from keras_convnets.readers.hdf5_texts import check_texts, has_texts

_CONFIG = "model_config"  # of the older format, in which the whole model is one HDF5 file


def check_hdf5(contents: bytes | bytearray, most: int | None = None, names: bool = False) -> int:
    """Return how many numbers a file has.

    Refused are links and data outside the file, more numbers than the file may inflate to, and
    what the library of HDF5 cannot read.

    Args:
        contents: the file.
        most: to how many bytes it may inflate; by default as `allowed` says.
        names: whether what describes its groups will be read: the names of layers.
    """
    with h5py.File(io.BytesIO(contents), "r") as file:
        found = dict(_objects(file))
        count = sum(_sizes(found, allowed(len(contents)) if most is None else most))
        if _CONFIG in file.attrs or has_texts(found.values(), names):
            check_texts(contents)
        if isinstance(config := file.attrs.get(_CONFIG), str | bytes):
            json_text.parse(config.encode() if isinstance(config, str) else config)
        return count


def _objects(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield the groups and data sets of a file by name; refuse links."""
    yield "/", file
    groups, seen = [file], set()
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise DamagedFile(f"its {shown(repr(name))} is a link")
            found = group[name]
            if isinstance(found, h5py.Group) and found.id in seen:  # they may form a circle
                continue
            seen.add(found.id)
            if isinstance(found, h5py.Group):
                groups.append(found)
            yield f"{group.name}/{name}", found


def _sizes(objects: dict[str, Any], left: int) -> Iterator[int]:
    for name, found in objects.items():
        if isinstance(found, h5py.Dataset):
            if found.external or found.is_virtual:
                raise DamagedFile(f"its {shown(repr(name))} lies outside")
            count = math.prod(found.shape or ())
            left -= count * found.dtype.itemsize
            if left < 0:
                raise DamagedFile("it declares more numbers than a file of its size can hold")
            yield count
