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

_KIND = keras.layers.BatchNormalization


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
    slow = [layer for layer in all_layers(model) if _is_slow(layer)]
    for layer in slow:
        quicken(layer)
    for inner in all_layers(model) if slow else ():
        if isinstance(inner, keras.Model):
            # Functions that were traced before have the slow graph; Keras makes new ones.
            inner.train_function = inner.test_function = inner.predict_function = None
    return model


def quicken(layer: Any) -> Any:
    """Let a layer run in the fused kernel if it is a batch normalisation, and return the layer."""
    if _is_slow(layer):
        from keras_convnets.fast import fused  # imports TensorFlow, which other backends may lack

        layer.call = types.MethodType(fused.call, layer)
    return layer


def _is_slow(layer: Any) -> bool:
    """Return whether a layer is Keras' batch normalisation, and computes as its class does."""
    is_own = type(layer) is _KIND and "call" not in vars(layer)
    return is_own and keras.backend.backend() == "tensorflow"
