"""Network heads: from feature maps to one vector of outputs per image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from keras_convnets import axes, units
from keras_convnets.naming import layer_name
from keras_convnets.units import Tensor, Unit, chain

Activation = str | Callable[..., Any] | None
Head = Callable[[int, Activation], Unit]


def classifier(num_outputs: int, activation: Activation) -> Unit:
    """Return global average pooling and the dense output layer."""
    return chain(units.global_pool("avg"), outputs(num_outputs, activation))


def dropout_classifier(rate: float) -> Head:
    """Return a head with dropout between the pooled features and the dense output layer."""
    return lambda num_outputs, activation: chain(
        units.global_pool("avg"), units.dropout(rate), outputs(num_outputs, activation)
    )


def flat_classifier(*hidden: Unit) -> Head:
    """Return a head of flattening, ``hidden`` layers and the dense output layer.

    Examples:
        >>> from keras_convnets import units
        >>> from keras_convnets.units import heads
        >>> head = heads.flat_classifier(heads.dense(4096), units.relu(), units.dropout(0.5))
    """
    return lambda num_outputs, activation: chain(
        flatten(), *hidden, outputs(num_outputs, activation)
    )


def hidden_classifier(width: int = 4096, dropout: float = 0.5) -> Head:
    """Return the head of AlexNet and VGG: two dense layers with ReLU and dropout, and an output."""
    hidden = chain(dense(width), units.relu(), units.dropout(dropout))
    return flat_classifier(hidden, hidden)


def adaptive(size: int, head: Head) -> Head:
    """Return a head after average pooling to ``size`` rows and columns, as in torchvision.

    The shape of its dense layers does not depend on the image size, which may be unknown.
    """
    return lambda num_outputs, activation: chain(
        units.adaptive_avg_pool(size), head(num_outputs, activation)
    )


def convolutional_classifier(*hidden: Unit) -> Head:
    """Return a head that computes logits at every position and averages them.

    The ``hidden`` layers are followed by a 1x1 convolution with a channel for each output, global
    average pooling and the activation. As there is no dense layer, rows and columns may be unknown.
    """
    return lambda num_outputs, activation: chain(
        *hidden,
        units.conv(num_outputs, 1),
        units.global_pool("avg"),
        output_activation(activation),
    )


def flatten() -> Unit:
    """Return flattening to one vector per image, in the same order in both data formats."""

    def apply(x: Tensor) -> Tensor:
        rows, cols = axes.rows_and_cols(x)
        if rows is None or cols is None:
            raise ValueError(
                f"input_shape: received None for rows or columns (maps of {rows} x {cols} reach "
                "the dense layers); expected numbers, for a dense layer has a weight for each "
                "unit. Pass rows and columns, or leave the dense layers out by include_top=False."
            )
        return layers.Flatten(data_format=axes.current_format(), name=layer_name("flatten"))(x)

    return apply


def dense(outputs: int) -> Unit:
    """Return a dense layer with a bias, Keras' default initialisation and no penalty."""
    return lambda x: layers.Dense(outputs, name=layer_name("dense"))(x)


def outputs(num_outputs: int, activation: Activation) -> Unit:
    """Return the dense output layer, without a penalty.

    Under a mixed-precision policy it computes in float32, so that its outputs are float32 and the
    softmax does not overflow.
    """
    return lambda x: layers.Dense(
        num_outputs,
        activation=activation,
        kernel_initializer="he_normal",
        dtype=keras.config.dtype_policy().variable_dtype,
        name=layer_name("dense"),
    )(x)


def output_activation(activation: Activation) -> Unit:
    """Return the output activation, in float32, for heads without a dense output layer."""

    def apply(x: Tensor) -> Tensor:
        precise = keras.config.dtype_policy().variable_dtype
        if activation is None and x.dtype == precise:
            return x
        return layers.Activation(activation, dtype=precise, name=layer_name("probabilities"))(x)

    return apply
