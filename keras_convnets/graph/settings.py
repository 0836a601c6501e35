"""The settings that determine what a layer computes, to compare layers with each other."""

from __future__ import annotations

from typing import Any

import keras

_DECIDES_NOTHING = {"name", "seed", "trainable", "batch_shape", "build_config"}


def settings_of(layer: Any) -> str:
    """Return a string of a layer's class and configuration. Equivalent layers have equal strings.

    Names, initializers and random seeds are ignored. For a custom class, the shapes of the weights
    are added, because its configuration may be incomplete.
    """
    kind = f"{type(layer).__module__}.{type(layer).__name__}"
    if isinstance(layer, keras.Model):
        return f"{kind}({', '.join(map(settings_of, layer.layers))})"
    try:
        config = layer.get_config()
    except Exception:  # a custom class without get_config: compare the shapes of its weights
        config = {}
    kept = {
        key: value
        for key, value in config.items()
        if key not in _DECIDES_NOTHING and not key.endswith("_initializer")
    }
    own = kind.startswith(("keras.", "keras_convnets."))
    shapes = [] if own else [tuple(weight.shape) for weight in getattr(layer, "weights", [])]
    return f"{kind}({kept}, {shapes})"
