"""Detect whether channels_first convolutions can run: TensorFlow's default CPU kernels cannot."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import keras

from keras_convnets.keras_private import all_layers

CANNOT_RUN = (
    "channels_first convolutions do not run on this CPU as TensorFlow is set up now. Either set "
    "TF_ENABLE_ONEDNN_OPTS=1 in the environment before TensorFlow is imported, or compile the "
    "model with jit_compile=True. On a GPU, and with data_format='channels_last', neither is "
    "needed."
)
CANNOT_RUN_IN = (
    "channels_first convolutions in {} do not run on this CPU. Either build with "
    "data_format='channels_last' or in float32, or compile the model with jit_compile=True. On a "
    "GPU, neither is needed."
)

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def warn_where_it_cannot_run(dtype: str) -> None:
    """Warn if a channels_first model would fail in its first step, and name the remedies.

    Args:
        dtype: the type in which the convolutions compute, such as ``"float32"``.
    """
    if not convolution_runs(dtype):
        message = CANNOT_RUN if dtype == "float32" else CANNOT_RUN_IN.format(dtype)
        warnings.warn(message, stacklevel=2)


def check_it_runs(model: Any) -> None:
    """Refuse a model that computes channels_first convolutions in a type that this CPU has not.

    Raises:
        ValueError: there is no kernel for one of its layers.
    """
    for layer in all_layers(model):
        is_first = isinstance(layer, _CONVOLUTIONS) and layer.data_format == "channels_first"
        if is_first and not convolution_runs(layer.compute_dtype):
            raise ValueError(
                f"model: the layer {layer.name!r} of {model.name} convolves channels_first in "
                f"{layer.compute_dtype}, for which TensorFlow has no kernel on this CPU; expected "
                "channels_last, or a type that it has. Build the model in channels_last or in "
                "float32 (with TF_ENABLE_ONEDNN_OPTS=1 in the environment), or use a GPU."
            )


@functools.cache
def convolution_runs(dtype: str = "float32") -> bool:
    """Run a 1x1 convolution on one pixel: more reliable than any TensorFlow setting."""
    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    with tf.init_scope():
        pixel, kernel = tf.zeros((1, 1, 1, 1), dtype), tf.zeros((1, 1, 1, 1), dtype)
        try:
            tf.nn.conv2d(pixel, kernel, strides=1, padding="SAME", data_format="NCHW")
        except tf.errors.OpError:
            return False
    return True
