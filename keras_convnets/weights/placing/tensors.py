"""Axes of kernels: those of PyTorch, Caffe and ONNX into those of Keras, and back.

There, a convolution has (out, in, rows, cols) and a dense layer (out, in); here, they have (rows,
cols, in, out) and (in, out). After a flatten, the inputs of a dense layer are ordered (in, rows,
cols) there, and (rows, cols, in) here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keras_convnets.weights.placing.model_layers import Maps


def to_keras(array: np.ndarray, shape: Sequence[int], maps: Maps | None) -> np.ndarray | None:
    """Return a value of a file with the axes of a weight of ours; ``None`` if that cannot be.

    Its sizes remain those of the file.

    Args:
        array: the value in the file.
        shape: the shape of the weight.
        maps: the feature maps whose flattened values the layer takes, if it does.
    """
    if len(shape) == array.ndim == 1:
        return array
    if len(shape) == 4 and array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if len(shape) == 2 and array.ndim == 4:
        return array.transpose(2, 3, 1, 0).reshape(-1, len(array))
    if len(shape) == 4 and array.ndim == 2:
        return _unflattened(array, Maps(shape[0], shape[1], shape[2]))
    if len(shape) == 2 and array.ndim == 2:
        if maps is None:
            return array.T
        kernel = _unflattened(array, maps)
        return None if kernel is None else kernel.reshape(-1, len(array))
    return None


def from_keras(array: np.ndarray, form: str, maps: Maps | None) -> np.ndarray:
    """Return a value of ours with the axes that it has in a file.

    Args:
        array: the value of a weight of ours.
        form: ``"conv"`` or ``"linear"`` if the layer is such a one there; otherwise empty.
        maps: the feature maps whose flattened values the layer takes, if it does.
    """
    if array.ndim == 1:
        return array
    kernel = array
    if array.ndim == 2:
        rows, cols, channels = maps if maps else (1, 1, len(array))
        kernel = array.reshape(rows or 1, cols or 1, channels, -1)
    kernel = kernel.transpose(3, 2, 0, 1)
    is_linear = form == "linear" or (not form and array.ndim == 2)
    return np.ascontiguousarray(kernel.reshape(len(kernel), -1) if is_linear else kernel)


def _unflattened(array: np.ndarray, maps: Maps) -> np.ndarray | None:
    """Return the kernel of a dense layer after a flatten as one of a convolution."""
    outputs, inputs = array.shape
    rows, cols = maps.rows or 0, maps.cols or 0
    if rows * cols * maps.channels != inputs:  # of images of another size: those are square
        rows = cols = math.isqrt(inputs // maps.channels)
    if rows * cols * maps.channels != inputs:
        return None
    return array.reshape(outputs, maps.channels, rows, cols).transpose(2, 3, 1, 0)
