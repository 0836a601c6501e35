"""Arrays of plain numeric types, from the bytes that are there."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from keras_convnets.readers.damage import DamagedFile, shown

Contents = bytes | bytearray | memoryview | np.ndarray

_PLAIN = re.compile(r"[<>|=]?(?P<kind>b1|[iu][1248]|f[248])")
_MOST_AXES = 32
_LONGEST_AXIS = 1 << 62


def array(code: Any, shape: Any, contents: Contents, fortran: bool = False) -> np.ndarray:
    """Return an array over bytes of a file, without copying them.

    Args:
        code: the type as NumPy writes it, such as ``"<f4"``: bool, or an integer or float of at
            most 8 bytes. Never an object, whose bytes would be taken for addresses.
        shape: the shape; it must need exactly the bytes that are there.
        contents: the bytes.
        fortran: whether the first axis is the fastest.

    Raises:
        DamagedFile: the type is not plain, or the bytes are not as many as they should be.
    """
    plain = _PLAIN.fullmatch(code) if isinstance(code, str) else None
    if plain is None:
        raise DamagedFile(f"it has an array of type {_shown(code)}")
    if not is_shape(shape):
        raise DamagedFile(f"it has an array of shape {_shown(shape)}")
    needed = math.prod(shape) * int(plain["kind"][1:])
    if needed != len(contents):
        raise DamagedFile(
            f"it has an array of {len(contents):,} bytes, whose shape {shape} needs {needed:,}"
        )
    if not needed:
        return np.zeros(shape, code)
    flat = np.frombuffer(contents, code)
    if plain["kind"] == "b1" and flat.view(np.uint8).max() > 1:
        raise DamagedFile("it has an array of truth values that are neither 0 nor 1")
    return flat.reshape(shape, order="F" if fortran else "C")


def bfloat16(shape: Any, contents: Contents) -> np.ndarray:
    """Return an array of bfloat16, of which NumPy has none, as float32: exactly the same values."""
    halves = array("<u2", shape, contents)
    found = halves.astype(np.uint32)
    found <<= 16
    return found.view(np.float32)


def is_shape(shape: Any) -> bool:
    """Return whether a value is the shape of an array."""
    return (
        type(shape) is tuple
        and len(shape) <= _MOST_AXES
        and all(type(axis) is int and 0 <= axis < _LONGEST_AXIS for axis in shape)
    )


def _shown(value: Any) -> str:
    return shown(repr(value)) if isinstance(value, str | int) else type(value).__name__
