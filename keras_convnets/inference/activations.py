"""The activation of a layer, an operation or a function: softmax, sigmoid and so on."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from keras_convnets.graph.layer_classes import layer_classes

SOFTMAX, SIGMOID, LINEAR = "softmax", "sigmoid", "linear"
RECTIFIED = "relu"

_FUNCTIONS = {
    SOFTMAX: (keras.activations.softmax, keras.ops.softmax, tf.nn.softmax),
    SIGMOID: (keras.activations.sigmoid, keras.ops.sigmoid, tf.nn.sigmoid),
    LINEAR: (keras.activations.linear, tf.identity),
    RECTIFIED: (keras.activations.relu, keras.ops.relu, tf.nn.relu),
}
# The operation classes of keras.ops are private, so they are identified by name.
_OPERATIONS = {"Softmax": SOFTMAX, "Sigmoid": SIGMOID, "ReLU": RECTIFIED, "Relu": RECTIFIED}
# The output of these layers is not that of their ``activation``.
_OTHERS = layer_classes("RNN", "Bidirectional", "ConvLSTM{}D")
_WRAPPERS = layer_classes("TimeDistributed", "SpectralNormalization")


@dataclasses.dataclass(frozen=True)
class Activated:
    """The activation at the end of a layer or an operation.

    Attributes:
        kind: softmax, sigmoid, linear or relu; ``None`` for any other activation.
        name: the name of the activation.
        axes: for a softmax, the axes over which it sums to 1; the batch axis is 0.
        is_all: whether the layer or operation only applies the activation to its input.
    """

    kind: str | None
    name: str
    axes: tuple[int, ...] = (-1,)
    is_all: bool = False


def activation_of(layer: Any) -> Activated | None:
    """Return the activation of a layer or an operation; ``None`` if it has none.

    Examples:
        >>> activation_of(keras.layers.Dense(10, activation="softmax")).kind
        'softmax'
        >>> activation_of(keras.layers.Softmax(axis=1)).axes
        (1,)
        >>> activation_of(keras.layers.Flatten())
    """
    if isinstance(layer, _WRAPPERS):
        return activation_of(layer.layer)
    if isinstance(layer, layers.Softmax):
        return Activated(SOFTMAX, SOFTMAX, _axes(layer.axis), is_all=True)
    if isinstance(layer, layers.ReLU):
        return Activated(RECTIFIED, RECTIFIED, is_all=True)
    if is_operation(layer):
        kind = _OPERATIONS.get(type(layer).__name__)
        axes = _axes(getattr(layer, "axis", -1))
        return None if kind is None else Activated(kind, kind, axes, is_all=True)
    if isinstance(layer, _OTHERS) or not hasattr(layer, "activation"):
        return None
    found = _of_function(layer.activation)
    return dataclasses.replace(found, is_all=isinstance(layer, layers.Activation))


def is_operation(layer: Any) -> bool:
    """Return whether this is one of Keras' operations, as created by ``keras.ops.reshape``."""
    own = type(layer).__module__.startswith("keras.")
    return isinstance(layer, keras.Operation) and not isinstance(layer, layers.Layer) and own


def _of_function(function: Any) -> Activated:
    if function is None:
        return Activated(LINEAR, LINEAR)
    if isinstance(function, functools.partial):
        found = _of_function(function.func)
        others = set(function.keywords) - {"axis"}
        if function.args or others or "axis" not in function.keywords:
            return Activated(None, found.name)
        return dataclasses.replace(found, axes=_axes(function.keywords["axis"]))
    for kind, functions in _FUNCTIONS.items():
        if any(function is known for known in functions):
            return Activated(kind, kind)
    of_layer = activation_of(function) if isinstance(function, keras.Operation) else None
    return of_layer or Activated(None, getattr(function, "__name__", type(function).__name__))


def _axes(axis: Any) -> tuple[int, ...]:
    return tuple(axis) if isinstance(axis, list | tuple) else (axis,)
