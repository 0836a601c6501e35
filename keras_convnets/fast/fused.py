"""What Keras' batch normalisation computes, by TensorFlow's fused kernel where that is faster."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_convnets.fast.kernels import FORMATS, kernel_type

Tensor = Any


def call(layer: Any, inputs: Tensor, training: Any = None, mask: Tensor | None = None) -> Tensor:
    """Compute what the class of a layer, Keras' batch normalisation, computes."""
    learns = training and layer.trainable
    kernel = None if mask is not None else kernel_type(layer, inputs, learns)
    if kernel is None:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    run = _by_the_batch if learns else _by_moving_statistics
    return keras.ops.cast(run(layer, keras.ops.cast(inputs, kernel)), layer.compute_dtype)


def _by_the_batch(layer: Any, inputs: Tensor) -> Tensor:
    """Normalise by the statistics of the batch, and move those of the layer towards them."""
    result = _kernel(layer, inputs)
    variance = result.batch_variance * without_bessel(inputs, layer)
    _move(layer.moving_mean, result.batch_mean, layer.momentum)
    _move(layer.moving_variance, variance, layer.momentum)
    return result.y


def _by_moving_statistics(layer: Any, inputs: Tensor) -> Tensor:
    statistics = _float32(layer.moving_mean), _float32(layer.moving_variance)
    return _kernel(layer, inputs, *statistics).y


def _kernel(layer: Any, inputs: Tensor, *statistics: Tensor) -> Any:
    """Run the kernel, by the statistics of the batch if none are given."""
    channels = layer.moving_mean.shape
    mean, variance = statistics or (tf.zeros((0,)), tf.zeros((0,)))
    # Not `tf.compat.v1.nn.fused_batch_norm`, which raises a smaller epsilon to 1.001e-5.
    return tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=_float32(layer.gamma) if layer.scale else tf.ones(channels),
        offset=_float32(layer.beta) if layer.center else tf.zeros(channels),
        mean=mean,
        variance=variance,
        epsilon=layer.epsilon,
        data_format=FORMATS[layer.axis],
        is_training=not statistics,
    )


def without_bessel(inputs: Tensor, layer: Any) -> Any:
    """Return (n - 1) / n for the n values of a channel; of a single one, the variance is 0."""
    size = inputs.shape.num_elements() or tf.cast(tf.size(inputs, "int64"), "float32")
    values = size / layer.moving_mean.shape[0]
    return (values - 1) / values


def _move(statistic: Any, batch: Tensor, momentum: float) -> None:
    statistic.assign(_float32(statistic) * momentum + batch * (1.0 - momentum))


def _float32(variable: Any) -> Tensor:
    return keras.ops.cast(variable, "float32")
