"""All that makes layers fast, in one place: each model that this package returns passes through it.

So a model trains by the same code in a run of the command, in its resumption, and in a user's own
``fit``, whether it was built, loaded from a file or made of another one.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_convnets.fast import batch_norm, conv, optimizer, penalty
from keras_convnets.keras_private import all_layers

_PIECES = (batch_norm.quicken, conv.quicken, penalty.quicken, optimizer.quicken)


def fast_layers(model: keras.Model) -> keras.Model:
    """Let a model, its layers and those of nested models compute faster, and return the model.

    Whatever creates or rebuilds a model that users get calls this at its end. What is traced
    already, such as a compiled model's step, remains as it is.
    """
    for layer in all_layers(model):
        fast_layer(layer)
    return model


def fast_layer(layer: Any) -> Any:
    """Let a layer that has its weights compute faster if it can, and return the layer."""
    for quicken in _PIECES:
        quicken(layer)
    return layer
