"""The initialisers of ONNX files, arrays by name, and of the graph the kinds of its operations."""

from __future__ import annotations

import importlib
import math
from typing import Any, BinaryIO

import numpy as np

from keras_convnets.readers import numeric
from keras_convnets.readers.damage import DamagedFile, reason, shown, size_of

_LARGEST = 1 << 31  # of a message of protobuf
# The types by number: what NumPy calls it, and the field that has values where there are no bytes.
_TYPES = {
    1: ("<f4", "float_data"),
    2: ("|u1", "int32_data"),
    3: ("|i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("|b1", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    12: ("<u4", "uint64_data"),
    13: ("<u8", "uint64_data"),
    16: ("<u2", "int32_data"),
}
_BFLOAT16 = 16
_HALVES = (10, _BFLOAT16)  # their bits are in the field as unsigned integers
_MISSING = "it is an ONNX file, which needs the package onnx: pip install 'keras_convnets[onnx]'"


def is_onnx(start: bytes) -> bool:
    """Return whether a file that starts so may be one: with a small number, its version."""
    return start[:1] == b"\x08" and start[1:2] < b"\x80" and start[2:3] in (b"\x12", b"\x1a", b":")


def read_onnx(stream: BinaryIO) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the initialisers of a file by name, and the kinds of its operations, in their order.

    Raises:
        DamagedFile: the file is damaged, has values in other files or sparse ones, or the package
            onnx is missing.
    """
    try:
        onnx = importlib.import_module("onnx")
    except ImportError as error:
        raise DamagedFile(_MISSING) from error
    size = size_of(stream)
    if size >= _LARGEST:
        raise DamagedFile(f"it has {size:,} bytes; expected less than {_LARGEST:,}")
    try:
        graph = onnx.ModelProto.FromString(stream.read(size)).graph
    except MemoryError:
        raise
    except Exception as error:  # of protobuf, which has a class of its own for it
        raise DamagedFile(
            f"it begins like ONNX, but is not, or damaged: {reason(error)}"
        ) from error
    if graph.sparse_initializer:
        raise DamagedFile("it has sparse initialisers; expected dense ones")
    found: dict[str, np.ndarray] = {}
    for tensor in graph.initializer:
        if not isinstance(tensor.name, str):
            raise DamagedFile("it has an initialiser whose name is no text")
        if tensor.name in found:
            raise DamagedFile(f"it has the initialiser {shown(repr(tensor.name))} twice")
        found[tensor.name] = _array(tensor)
    return found, tuple(node.op_type for node in graph.node)


def _array(tensor: Any) -> np.ndarray:
    name = shown(repr(tensor.name))
    if tensor.external_data or tensor.data_location:
        raise DamagedFile(
            f"its initialiser {name} is in another file. Save the model as a single file: "
            "onnx.save(model, path, save_as_external_data=False)"
        )
    if tensor.data_type not in _TYPES or tensor.HasField("segment"):
        raise DamagedFile(f"its initialiser {name} is of a type that is not read")
    code, field = _TYPES[tensor.data_type]
    shape = tuple(tensor.dims)
    values = getattr(tensor, field)
    if not tensor.HasField("raw_data") and len(values) != math.prod(shape):
        raise DamagedFile(
            f"its initialiser {name} has {len(values):,} values for the shape {shown(str(shape))}"
        )
    contents = tensor.raw_data if tensor.HasField("raw_data") else _bytes(tensor, values, code)
    if tensor.data_type == _BFLOAT16:
        return numeric.bfloat16(shape, contents)
    return numeric.array(code, shape, contents)


def _bytes(tensor: Any, values: Any, code: str) -> bytes:
    """Return the bytes of values that are numbers in the file; bits of halves are numbers there."""
    kind = "<u2" if tensor.data_type in _HALVES else code
    return np.array(values, np.dtype(kind)).tobytes()
