"""The arrays of PyTorch's tensors, from the bytes of their storages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_convnets.readers import numeric
from keras_convnets.readers.damage import DamagedFile, allowed
from keras_convnets.readers.torch_kinds import BFLOAT16
from keras_convnets.readers.torch_values import Storage, Tensor, furthest

Choose = Callable[[Any], Mapping[str, Tensor]]
"""A function that finds the tensors that are wanted in what a file has, by name."""


def arrays(
    tensors: Mapping[str, Tensor], size: int, read: Callable[[Storage], np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the arrays of tensors, which are views of their storages where they can be.

    Args:
        tensors: the tensors by name.
        size: the bytes of the file.
        read: a function that returns the bytes of a storage.
    """
    values = sum(math.prod(tensor.shape) for tensor in tensors.values())
    if values > allowed(size):
        raise DamagedFile(f"it has {size:,} bytes and tensors of {values:,} values")
    sharing: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        sharing.setdefault(tensor.storage.key, []).append(name)
    found: dict[str, np.ndarray] = {}
    for names in sharing.values():
        contents = read(tensors[names[0]].storage)
        for name in names:
            found[name] = _array(tensors[name], contents)
    return {name: found[name] for name in tensors}


def _array(tensor: Tensor, contents: np.ndarray) -> np.ndarray:
    is_bfloat16 = tensor.code == BFLOAT16
    kind = np.dtype("<u2" if is_bfloat16 else tensor.code)
    if 0 in tensor.shape:
        return np.zeros(tensor.shape, np.float32 if is_bfloat16 else kind)
    length = furthest(tensor.shape, tensor.strides) + 1
    part = contents[tensor.offset * kind.itemsize :][: length * kind.itemsize]
    if is_bfloat16:
        flat = numeric.bfloat16((length,), part)
    else:
        flat = numeric.array(tensor.code, (length,), part)
    steps = [step * flat.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat, tensor.shape, steps)
