"""Keras' layer classes by name, because not every version of Keras has all of them."""

from __future__ import annotations

from typing import Any

from keras import layers


def layer_classes(*names: str) -> tuple[Any, ...]:
    """Return the layer classes with these names; ``{}`` expands to 1, 2 and 3 dimensions.

    Examples:
        >>> [found.__name__ for found in layer_classes("Conv{}D", "ReLU")]
        ['Conv1D', 'Conv2D', 'Conv3D', 'ReLU']
    """
    full = dict.fromkeys(name.format(rank) for name in names for rank in (1, 2, 3))
    return tuple(getattr(layers, name) for name in full if hasattr(layers, name))
