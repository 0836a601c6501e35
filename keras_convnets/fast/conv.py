"""The gradient of 1 x 1 convolutions by a product of matrices, on layers that remain Keras' own.

On CPUs, oneDNN's gradient by the kernel of a convolution is slow where the kernel is one pixel,
above all in bfloat16. It is one product of the inputs with the gradient by the outputs.
"""

from __future__ import annotations

import types
from typing import Any

import keras

from keras_convnets.keras_private import is_training

Tensor = Any

_KIND = keras.layers.Conv2D
_TYPES = ("float32", "bfloat16")


def quicken(layer: Any) -> Any:
    """Let a layer take the faster gradient if it is a 1 x 1 convolution, and return the layer."""
    if (
        type(layer) is _KIND
        and keras.backend.backend() == "tensorflow"
        and tuple(layer.kernel_size) == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and not layer.use_bias  # TensorFlow fuses the addition of a bias with the convolution
        and "convolution_op" not in vars(layer)  # quick already, or replaced by the user
    ):
        layer.convolution_op = types.MethodType(_convolution, layer)
    return layer


def _convolution(layer: Any, inputs: Tensor, kernel: Any) -> Tensor:
    """Compute what the layer's class computes."""
    import tensorflow as tf

    kernel = tf.convert_to_tensor(kernel)
    fits = kernel.dtype.name in _TYPES and inputs.dtype == kernel.dtype
    if fits and is_training() and not tf.config.list_logical_devices("GPU"):
        return _pointwise(layer.strides)(inputs, kernel)
    return _KIND.convolution_op(layer, inputs, kernel)


def _pointwise(strides: tuple[int, int]) -> Any:
    import tensorflow as tf

    steps = [1, *strides, 1]

    def convolution(inputs: Tensor, kernel: Tensor) -> Any:
        taken, made = kernel.shape[2:]  # channels, which the inputs may not tell in a graph

        def gradient(outputs: Tensor) -> tuple[Tensor, Tensor]:
            by_inputs = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(inputs),
                filter=kernel,
                out_backprop=outputs,
                strides=steps,
                padding="VALID",
            )
            seen = inputs if steps == [1] * 4 else inputs[:, :: strides[0], :: strides[1]]
            by_kernel = tf.matmul(_rows(seen, taken), _rows(outputs, made), transpose_a=True)
            return by_inputs, tf.reshape(by_kernel, kernel.shape)

        return tf.nn.conv2d(inputs, kernel, steps, "VALID"), gradient

    return tf.custom_gradient(convolution)


def _rows(maps: Tensor, channels: int) -> Tensor:
    """Return feature maps as a matrix with a row for each pixel."""
    import tensorflow as tf

    return tf.reshape(maps, (-1, channels))
