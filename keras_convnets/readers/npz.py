"""NumPy's ``.npz`` files: a zip archive of arrays, each with a header of its own."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

import numpy as np

from keras_convnets.readers import numeric
from keras_convnets.readers.damage import DamagedFile, shown
from keras_convnets.readers.zips import contents, opened_zip

_MAGIC = b"\x93NUMPY"
_LENGTHS = {b"\x01\x00": "<H", b"\x02\x00": "<I", b"\x03\x00": "<I"}  # by version
_LONGEST_HEADER = 10_000  # as NumPy's own limit
_HEADER = re.compile(
    r"\{'descr': '(?P<code>[^']{1,8})', 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>(?:\d{1,19}L?(?:, ?|,?(?=\))))*)\),? ?\}\s*"
)


def read_npz(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name, in their order."""
    with opened_zip(stream) as archive:
        found = {}
        for name in archive.namelist():
            if not name.endswith(".npy"):
                raise DamagedFile(f"its member {shown(repr(name))} is not an array")
            found[name.removesuffix(".npy")] = npy(contents(archive, name))
    return found


def npy(whole: bytearray) -> np.ndarray:
    """Return the array in the bytes of an ``.npy`` file."""
    version = bytes(whole[6:8])
    if whole[:6] != _MAGIC or version not in _LENGTHS:
        raise DamagedFile("it has an array without the header of NumPy")
    start = 8 + struct.calcsize(_LENGTHS[version])
    (length,) = struct.unpack(_LENGTHS[version], whole[8:start])
    header = None
    if length <= _LONGEST_HEADER:
        header = _HEADER.fullmatch(whole[start : start + length].decode("latin-1"))
    if header is None:
        raise DamagedFile("it has an array whose header is not as NumPy writes it")
    shape = tuple(int(axis.rstrip("L")) for axis in re.findall(r"\d+L?", header["shape"]))
    data = memoryview(whole)[start + length :]
    return numeric.array(header["code"], shape, data, fortran=header["fortran"] == "True")
