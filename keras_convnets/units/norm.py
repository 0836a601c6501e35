"""Normalisations, activations and dropout."""

from __future__ import annotations

from collections.abc import Callable

from keras import layers

from keras_convnets import axes, checks
from keras_convnets.fast.layers import fast_layer
from keras_convnets.layers import LocalResponseNormalization
from keras_convnets.naming import kind_of, layer_name
from keras_convnets.typed import typed
from keras_convnets.units.combine import Tensor, Unit, chain
from keras_convnets.units.style import CLASSIC, Style


@typed
def bn(style: Style = CLASSIC) -> Unit:
    """Return batch normalisation; by default with Keras' momentum of 0.99 and epsilon of 1e-3."""
    return lambda x: fast_layer(
        layers.BatchNormalization(
            axis=axes.channel_axis(),
            momentum=style.momentum,
            epsilon=style.epsilon,
            scale=style.scale,
            name=layer_name("bn"),
        )
    )(x)


@typed
def activation(function: str | Callable[[Tensor], Tensor] | None) -> Unit:
    """Return an activation, given by name or as a function. Its layer is named after it.

    With ``None``, the unit returns the tensor itself.
    """
    if function is None:
        return lambda x: x
    named = function if isinstance(function, str) else getattr(function, "__name__", "activation")
    return lambda x: layers.Activation(function, name=layer_name(kind_of(named)))(x)


def relu() -> Unit:
    """Return a ReLU."""
    return activation("relu")


@typed
def bn_relu(style: Style = CLASSIC) -> Unit:
    """Return batch normalisation, then ReLU."""
    return chain(bn(style), relu())


@typed
def local_response_norm(size: int, alpha: float, beta: float, bias: float) -> Unit:
    """Return [`LocalResponseNormalization`][keras_convnets.LocalResponseNormalization]."""
    return lambda x: LocalResponseNormalization(
        size, alpha, beta, bias, axis=axes.channel_axis(), name=layer_name("lrn")
    )(x)


@typed
def dropout(rate: float) -> Unit:
    """Return dropout of single units; with rate 0 it returns the tensor itself."""
    rate = checks.rate("rate", rate)
    return lambda x: layers.Dropout(rate, name=layer_name("dropout"))(x) if rate else x
