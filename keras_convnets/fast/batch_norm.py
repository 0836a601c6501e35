"""Batch normalisation by TensorFlow's fused kernel, on layers that remain Keras' own.

Keras' layer takes some ten operations, each of which reads or writes the feature maps once more.
The kernel computes the same, to rounding, and so does its gradient.
"""

from __future__ import annotations

import types
from typing import Any

import keras

from keras_convnets.keras_private import all_layers
from keras_convnets.typed import typed

Tensor = Any

_KIND = keras.layers.BatchNormalization
_TYPES = ("float32", "bfloat16", "float16")  # the kernel has no float64
_FORMATS = {3: "NHWC", -1: "NHWC", 1: "NCHW", -3: "NCHW"}


@typed
def fast_batch_norm(model: keras.Model) -> keras.Model:
    """Let every batch normalisation of a model run in TensorFlow's fused kernel, and return it.

    The networks of this package have it already. It is the same model: outputs, gradients and
    moving statistics are equal to rounding, and files, configurations and copies are those of
    Keras' own layer. Where the kernel cannot run or does not help, the layer computes as before; so
    it does on other backends, and so do subclasses of the layer.

    Args:
        model: any Keras model: functional, sequential, a subclass, with models inside. If it was
            compiled, it remains so.

    Examples:
        >>> import keras
        >>> from keras_convnets import fast_batch_norm
        >>> layers = [keras.Input((8, 8, 3)), keras.layers.BatchNormalization()]
        >>> model = fast_batch_norm(keras.Sequential(layers))
        >>> type(model.layers[0]) is keras.layers.BatchNormalization
        True
    """
    for layer in all_layers(model):
        quicken(layer)
        if isinstance(layer, keras.Model):
            # A function that was traced before has the slow graph; Keras traces a new one.
            layer.train_function = layer.test_function = layer.predict_function = None
    return model


def quicken(layer: Any) -> Any:
    """Let a layer run in the fused kernel if it is a batch normalisation, and return the layer."""
    own = "call" in vars(layer)  # quick already, or replaced by the user
    if type(layer) is _KIND and not own and keras.backend.backend() == "tensorflow":
        layer.call = types.MethodType(_call, layer)
    return layer


def _call(layer: Any, inputs: Tensor, training: Any = None, mask: Tensor | None = None) -> Tensor:
    """Compute what the layer's class computes."""
    learns = training and layer.trainable
    if mask is None and learns and _fits(layer, inputs):
        return _normalised(layer, inputs)
    return _KIND.call(layer, inputs, training=training, mask=mask)


def _fits(layer: Any, inputs: Tensor) -> bool:
    """Return whether the kernel can compute what a layer computes of its inputs."""
    return (
        len(inputs.shape) == 4
        and layer.axis in _FORMATS
        and 0 not in inputs.shape
        and keras.backend.standardize_dtype(inputs.dtype) == layer.compute_dtype
        and layer.compute_dtype in _TYPES
        and layer.variable_dtype == "float32"
        and not layer.synchronized  # the kernel knows one device
        and not getattr(layer, "renorm", False)  # from Keras 3.14 or so
    )


def _normalised(layer: Any, inputs: Tensor) -> Tensor:
    """Normalise by the statistics of the batch, and move those of the layer towards them."""
    import tensorflow as tf

    channels = (inputs.shape[layer.axis],)
    # Not `tf.compat.v1.nn.fused_batch_norm`, which raises a smaller epsilon to 1.001e-5.
    result = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=_float32(layer.gamma) if layer.scale else tf.ones(channels),
        offset=_float32(layer.beta) if layer.center else tf.zeros(channels),
        mean=tf.zeros((0,)),
        variance=tf.zeros((0,)),
        epsilon=layer.epsilon,
        data_format=_FORMATS[layer.axis],
        is_training=True,
    )
    variance = result.batch_variance * without_bessel(inputs, layer.axis)
    _move(layer.moving_mean, result.batch_mean, layer.momentum)
    _move(layer.moving_variance, variance, layer.momentum)
    return result.y


def without_bessel(inputs: Tensor, axis: int) -> Any:
    """Return (n - 1) / n for the n values of a channel; of a single one, the variance is 0."""
    import tensorflow as tf

    shape = inputs.shape.as_list()
    del shape[axis]
    if None not in shape:
        values = float(shape[0] * shape[1] * shape[2])
        return (values - 1) / values
    values = tf.cast(tf.size(inputs, "int64") / inputs.shape[axis], "float32")
    return (values - 1) / values


def _move(statistic: Any, batch: Tensor, momentum: float) -> None:
    statistic.assign(_float32(statistic) * momentum + batch * (1.0 - momentum))


def _float32(variable: Any) -> Tensor:
    return keras.ops.cast(variable, "float32")
