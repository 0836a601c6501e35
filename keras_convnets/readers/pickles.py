"""Pickles of plain values and NumPy arrays, made from the bytes that are there."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from keras_convnets.readers import numeric
from keras_convnets.readers.damage import DamagedFile, shown
from keras_convnets.readers.pickle_machine import Machine
from keras_convnets.readers.pickle_values import Name, Unfinished, text_of

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # of NumPy 1 and 2
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


def read_pickle(contents: bytes | bytearray) -> Any:
    """Return the value in a pickle; an array may be the value, or the value of a dictionary's key.

    Strings that Python 2 wrote are bytes.
    """
    value = Machine(io.BytesIO(contents), len(contents), _called).run()
    if isinstance(value, dict):
        return {key: _finished(found) for key, found in value.items()}
    return _finished(value)


def _finished(value: Any) -> Any:
    return value.array if isinstance(value, _Array) else value


class _Type(Unfinished):
    """A type of NumPy's; its byte order comes after its name."""

    def __init__(self, code: Any) -> None:
        self.code = text_of(code)

    def build(self, state: Any) -> None:
        """Add the byte order; refuse records, which have fields."""
        if type(state) is not tuple or len(state) < 5 or state[2:5] != (None, None, None):
            raise DamagedFile("it has an array of records")
        self.code = text_of(state[1]) + self.code.lstrip("<>|=")


class _Array(Unfinished):
    """An array; its values come after it is named."""

    def __init__(self, array: np.ndarray | None = None) -> None:
        self.array = array

    def build(self, state: Any) -> None:
        """Add the values."""
        if type(state) is not tuple or len(state) not in (4, 5):
            raise DamagedFile("it has an array without values")
        shape, kind, fortran, contents = state[-4:]
        self.array = _array(kind, shape, contents, fortran)


def _called(function: Name, arguments: tuple[Any, ...]) -> Any:
    """Return what a call returns, for the calls that pickles of arrays consist of."""
    module, name = function
    match (name, *arguments):
        case ("_reconstruct", ("numpy", "ndarray"), _, _) if module in _MULTIARRAY:
            return _Array()
        case ("_frombuffer", contents, kind, shape, order) if module in _NUMERIC:
            return _Array(_array(kind, shape, contents, order == "F"))
        case ("scalar", kind, contents) if module in _MULTIARRAY:
            return _array(kind, (), contents).item()
        case ("dtype", code, *_) if module == "numpy":
            return _Type(code)
        case ("encode", str(text), "latin1") if module == "_codecs":  # bytes, before protocol 3
            return text.encode("latin-1")
        case ("bytes",) if module in ("__builtin__", "builtins"):
            return b""
    raise DamagedFile(f"its pickle calls {shown(f'{module}.{name}')}")


def _array(kind: Any, shape: Any, contents: Any, fortran: Any = False) -> np.ndarray:
    if not isinstance(kind, _Type) or not isinstance(contents, bytes | bytearray):
        raise DamagedFile("it has an array without a type or without bytes")
    return numeric.array(kind.code, shape, contents, bool(fortran))
