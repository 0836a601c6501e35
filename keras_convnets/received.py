"""Values as they were received: their words for an error, and the plain Python value they are."""

from __future__ import annotations

import math
import numbers
import operator
import os
import re
from pathlib import Path
from typing import Any

from keras_convnets.printable import cut

LARGEST = 2**31 - 1
"""The largest integer that is accepted: sizes and counts beyond it overflow in kernels."""

_LARGEST_FLOAT, _SMALLEST_FLOAT = 3.4e38, 1.2e-38  # of float32, in which networks compute
_MOST = 200  # characters of a value in an error
_LONGEST = 1500  # characters of an error
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal, in errors of Keras


def shown(value: Any) -> str:
    """Return the ``repr`` of a value in one line, cut if it is long.

    Examples:
        >>> shown("resnet"), len(shown("r" * 10_000))
        ("'resnet'", 201)
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of more than 4,300 digits, or a class's own repr that fails
        text = f"a value of type {type(value).__name__}"
    return cut(text, _MOST)


def line(message: str) -> str:
    """Return a message in one line, cut if it is very long."""
    if "\n" in message:
        message = " ".join(_COLOURS.sub("", message).split())
    return cut(message, _LONGEST)


def integer(value: Any) -> int | None:
    """Return ``value`` as an ``int`` if it is an integer (NumPy's included), else ``None``."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def number(value: Any) -> float | None:
    """Return ``value`` as a ``float`` if it is a number that float32 has, else ``None``."""
    is_scalar = isinstance(value, numbers.Real) or getattr(value, "shape", None) == ()
    if boolean(value) is not None or not is_scalar:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    is_there = found == 0 or _SMALLEST_FLOAT <= abs(found) <= _LARGEST_FLOAT
    return found if is_there and math.isfinite(found) else None


def boolean(value: Any) -> bool | None:
    """Return ``value`` as a ``bool`` if it is one (NumPy's included), else ``None``."""
    is_numpys = type(value).__name__ in ("bool", "bool_") and getattr(value, "shape", None) == ()
    return bool(value) if isinstance(value, bool) or is_numpys else None


def path(value: Any) -> Path | None:
    """Return ``value`` as a ``Path`` if it can name a file, else ``None``."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    return Path(text) if isinstance(text, str) and text and "\0" not in text else None
