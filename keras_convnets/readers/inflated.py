"""Files compressed by gzip: IDX arrays, and archives of tar."""

from __future__ import annotations

import gzip
import math
import struct
import tarfile
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np

from keras_convnets.readers import numeric
from keras_convnets.readers.damage import DamagedFile, Limited, allowed, shown, size_of, take

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTES = b"\0\0\x08"
_PLAIN_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)


def read_idx(stream: BinaryIO) -> np.ndarray:
    """Read a byte array in LeCun's IDX format: a header of type, rank and sizes, then the data."""
    limited = Limited(gzip.GzipFile(fileobj=stream), allowed(size_of(stream)))
    if take(limited, 3) != _UNSIGNED_BYTES:
        raise DamagedFile("it has no IDX header")
    rank = take(limited, 1)[0]
    shape = struct.unpack(f">{rank}i", take(limited, 4 * rank))
    if not numeric.is_shape(shape):
        raise DamagedFile(f"it has an array of shape {shown(str(shape))}")
    found = take(limited, math.prod(shape))
    if limited.read(1):
        raise DamagedFile(f"it goes on after an array of shape {shape}")
    return numeric.array("u1", shape, found)


def read_tar(stream: BinaryIO, folder: str, names: Collection[str]) -> dict[str, bytearray]:
    """Return those files of an archive that lie in a folder and have one of the names.

    Nothing is unpacked to disk.
    """
    compressed = stream.read(2) == _GZIP
    stream.seek(0)
    inflated = gzip.GzipFile(fileobj=stream) if compressed else stream
    limited = Limited(inflated, allowed(size_of(stream)))
    found: dict[str, bytearray] = {}
    with tarfile.open(fileobj=limited, mode="r|") as archive:  # type: ignore[call-overload]
        for member in archive:
            path = PurePosixPath(member.name)
            if path.parent.name != folder or path.name not in names:
                continue
            if path.name in found or member.type not in _PLAIN_FILES or member.size < 0:
                raise DamagedFile(f"its member {shown(repr(member.name))} is not a regular file")
            found[path.name] = take(archive.extractfile(member), member.size)
    limited.finish()
    return found
