"""Detect whether channels_first convolutions can run: TensorFlow's default CPU kernels cannot."""

from __future__ import annotations

import functools
import warnings

import keras

CANNOT_RUN = (
    "channels_first convolutions do not run on this CPU as TensorFlow is set up now. Either set "
    "TF_ENABLE_ONEDNN_OPTS=1 in the environment before TensorFlow is imported, or compile the "
    "model with jit_compile=True. On a GPU, and with data_format='channels_last', neither is "
    "needed."
)


def warn_where_it_cannot_run() -> None:
    """Warn if a channels_first model would fail in its first step, and name both remedies."""
    if not convolution_runs():
        warnings.warn(CANNOT_RUN, stacklevel=2)


@functools.cache
def convolution_runs() -> bool:
    """Run a 1x1 convolution on one pixel: more reliable than any TensorFlow setting."""
    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    with tf.init_scope():
        pixel, kernel = tf.zeros((1, 1, 1, 1)), tf.zeros((1, 1, 1, 1))
        try:
            tf.nn.conv2d(pixel, kernel, strides=1, padding="SAME", data_format="NCHW")
        except tf.errors.OpError:
            return False
    return True
