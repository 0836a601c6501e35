"""What decides what a layer does: whether two layers do the same is whether these are equal."""

from __future__ import annotations

from typing import Any

_DECIDES_NOTHING = {"name", "seed", "trainable", "batch_shape", "build_config"}


def settings_of(layer: Any) -> str:
    """Return what decides what a layer does, in one string: its class and its configuration.

    Names, initial values and random seeds decide nothing here. Of a class that is not Keras' own,
    the shapes of the weights are added, for it may not say all in its configuration.
    """
    kind = f"{type(layer).__module__}.{type(layer).__name__}"
    if hasattr(layer, "layers"):
        return f"{kind}({', '.join(map(settings_of, layer.layers))})"
    try:
        config = layer.get_config()
    except Exception:  # a class of somebody's that cannot say; it is then known by its weights
        config = {}
    kept = {
        key: value
        for key, value in config.items()
        if key not in _DECIDES_NOTHING and not key.endswith("_initializer")
    }
    own = kind.startswith(("keras.", "keras_convnets."))
    shapes = [] if own else [tuple(weight.shape) for weight in getattr(layer, "weights", [])]
    return f"{kind}({kept}, {shapes})"
