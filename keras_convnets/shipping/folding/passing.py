"""Layers through which a normalisation can move: they change no channel, or average each alone."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import keras
import numpy as np

from keras_convnets.graph.layer_classes import layer_classes
from keras_convnets.graph.layer_types import LayerType, type_of
from keras_convnets.keras_private import is_keras_own

_SAME = {LayerType.DROPOUT, LayerType.IDENTITY}
_POOLINGS = layer_classes("AveragePooling{}D")
_COMPUTING = ("call", "convolution_op", "__call__", "quantized_call")
_GLOBAL = layer_classes("GlobalAveragePooling{}D")


def is_own_layer(layer: Any) -> bool:
    """Return whether a layer's class is Keras' or this package's, and it computes as that does."""
    is_own = type(layer).__module__.split(".")[0] in ("keras", "keras_convnets")
    return is_own and computes_as_its_class(layer)


def computes_as_its_class(layer: Any) -> bool:
    """Return whether no method of a layer was replaced by one that computes something else.

    What `keras_convnets.fast` puts there computes the same.
    """
    replaced = [vars(layer)[name] for name in _COMPUTING if name in vars(layer)]
    return all(is_keras_own(part) for method in replaced for part in _parts(method))


def _parts(method: Any) -> list[Any]:
    """Return the functions of which a method is made that was put in the place of another."""
    if not isinstance(method, functools.partial):
        return [method]
    return [method.func, *(given for given in method.args if inspect.isroutine(given))]


def does_nothing(node: Any) -> bool:
    """Return whether a call returns its only tensor at inference."""
    layer = node.operation
    if not is_own_layer(layer) or trains(node) or len(node.arguments.keras_tensors) != 1:
        return False
    if type(layer) is keras.layers.Activation:
        return layer.activation is keras.activations.linear
    return type_of(layer) in _SAME


def averages(node: Any) -> bool:
    """Return whether a call averages each channel, with nothing beyond the edges."""
    layer = node.operation
    if not is_own_layer(layer):
        return False
    return type(layer) in _GLOBAL or (type(layer) in _POOLINGS and layer.padding == "valid")


def flattens(node: Any) -> bool:
    """Return whether a call flattens feature maps of a known size."""
    layer = node.operation
    given = node.arguments.keras_tensors
    is_flatten = type(layer) is keras.layers.Flatten and is_own_layer(layer)
    return is_flatten and None not in given[0].shape[1:]


def channels_of(node: Any, axis: int) -> Any:
    """Return which channel each of the features of a call of ``Flatten`` is from."""
    shape = node.arguments.keras_tensors[0].shape
    along = np.arange(shape[axis]).reshape([-1 if n == axis else 1 for n in range(len(shape))])
    maps = np.broadcast_to(along, (1, *shape[1:]))
    if node.operation.data_format == "channels_first" and len(shape) > 1:
        maps = np.moveaxis(maps, 1, -1)
    return maps.reshape(-1)


def channel_axis(layer: Any, rank: int) -> int:
    """Return the channel axis of a layer's input of ``rank`` axes, the batch among them."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def trains(node: Any) -> bool:
    """Return whether a call computes what it does in training, whatever the model is called for."""
    return bool(node.arguments.kwargs.get("training"))
