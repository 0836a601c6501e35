"""What a layer, an operation or a function makes of its values: probabilities, or else."""

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
# keras.ops has its classes for itself, so that they are known by their names.
_OPERATIONS = {"Softmax": SOFTMAX, "Sigmoid": SIGMOID, "ReLU": RECTIFIED, "Relu": RECTIFIED}
# What they have as activation is not what they end in.
_OTHERS = layer_classes("RNN", "Bidirectional", "ConvLSTM{}D")
_WRAPPERS = layer_classes("TimeDistributed", "SpectralNormalization")


@dataclasses.dataclass(frozen=True)
class Activated:
    """What a layer or an operation ends in.

    Attributes:
        kind: softmax, sigmoid, linear or relu; ``None`` for any other activation.
        name: the activation's own.
        axes: of a softmax: those that it sums to 1 over, the batch's being 0.
        is_all: whether the activation is all that is done, to values that come from elsewhere.
    """

    kind: str | None
    name: str
    axes: tuple[int, ...] = (-1,)
    is_all: bool = False


def activation_of(layer: Any) -> Activated | None:
    """Return what a layer or an operation ends in; ``None`` where it has no activation.

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
    """Say whether it is an operation of Keras' own, such as ``keras.ops.reshape`` makes."""
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
