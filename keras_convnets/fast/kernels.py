"""Which batch normalisations TensorFlow's fused kernel computes, and in which type.

The kernel is taken where it was measured to be faster than Keras' own operations, on CPUs, alone
and within whole networks. ``docs/speed.md`` has the figures.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from keras_convnets.channels_first import convolution_runs

FORMATS = {3: "NHWC", -1: "NHWC", 1: "NCHW", -3: "NCHW"}
_TYPES = ("float32", "bfloat16", "float16")  # the kernel has no float64
# Below as many values, waking the kernel's threads takes longer than computing.
_SMALLEST = 1 << 16
# Of more values a channel, the CPU's sums, one value after the other, are less exact than Keras'.
_MOST_A_CHANNEL = 1 << 18
_UNKNOWN = 32  # what a size counts as that is not known when a graph is traced: that of the batch
# The CPU's kernels take so many channels at a time, and are slow with others.
_HALF_LANES, _LANES = 16, 4


def kernel_type(layer: Any, inputs: Any, learns: Any) -> str | None:
    """Return the type in which the kernel computes a normalisation; ``None`` if Keras does.

    Args:
        layer: Keras' batch normalisation, on the TensorFlow backend.
        inputs: what it is called with.
        learns: whether it normalises by the statistics of the batch.
    """
    if not _can(layer, inputs) or _values(inputs) < _SMALLEST:
        return None
    channels, is_last = layer.moving_mean.shape[0], FORMATS[layer.axis] == "NHWC"
    if learns and _values(inputs) > channels * _MOST_A_CHANNEL and _only_cpus():
        return None
    if layer.compute_dtype != "float32" and is_last and channels % _HALF_LANES == 0:
        # On a GPU, the kernel's gradient in inference cannot be repeated bit for bit.
        return layer.compute_dtype if learns or _only_cpus() else None
    # In float32, inference by the kernel takes as long as Keras' multiplication and addition.
    if learns and channels % _LANES == 0 and (is_last or convolution_runs()):
        return "float32"  # for half precision too, as Keras computes it
    return None


def _can(layer: Any, inputs: Any) -> bool:
    """Return whether the kernel computes the same as the layer."""
    return (
        isinstance(inputs, tf.Tensor)
        and inputs.shape.rank == 4
        and layer.axis in FORMATS
        and inputs.dtype.name == layer.compute_dtype
        and layer.compute_dtype in _TYPES
        and not layer.synchronized  # the kernel knows one device
        and not getattr(layer, "renorm", False)  # not in all versions of Keras 3
    )


def _values(inputs: Any) -> int:
    return math.prod(_UNKNOWN if size is None else size for size in inputs.shape)


def _only_cpus() -> bool:
    return not tf.config.list_physical_devices("GPU")
