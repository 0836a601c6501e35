"""Which weights of a model decay: kernels, but no biases, scales or offsets."""

from __future__ import annotations

from typing import Any

import keras

from keras_convnets.keras_private import all_layers

_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel", "embeddings")
_WITHOUT_DECAY: tuple[Any, ...] = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
    keras.layers.PReLU,
)


def without_decay(model: keras.Model) -> list[Any]:
    """Return the trainable variables that decoupled weight decay leaves alone.

    Those are the weights of normalisations and of PReLU, biases, and all others that have at most
    one axis longer than 1, such as a scale for each channel, unless they are a layer's kernel. The
    layers and shapes tell, not names, so that layers of your own are treated alike.

    Examples:
        >>> import keras
        >>> layers = [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()]
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
        >>> [variable.name for variable in without_decay(model)]
        ['bias', 'gamma', 'beta']
    """
    kernels, others = set(), set()
    for layer in all_layers(model):
        for name in _KERNELS:
            kernels.add(id(getattr(layer, name, None)))
        others.add(id(getattr(layer, "bias", None)))
        if isinstance(layer, _WITHOUT_DECAY):
            others.update(map(id, layer.trainable_variables))
    return [
        variable
        for variable in model.trainable_variables
        if id(variable) in others or not (id(variable) in kernels or _is_matrix(variable))
    ]


def _is_matrix(variable: Any) -> bool:
    return sum(size > 1 for size in variable.shape) > 1
