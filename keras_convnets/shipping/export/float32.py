"""A model in float32, which is what its exported files are compared with."""

from __future__ import annotations

from typing import Any

from keras_convnets.keras_private import all_layers
from keras_convnets.known import pass_on
from keras_convnets.shipping.precision.retyped import NotCopied, retyped

_FLOAT32 = "float32"


def in_float32(model: Any) -> Any:
    """Return a model that computes in float32: the model itself, or a copy with its weights.

    A model that was trained in mixed precision computes in half floats, which its exported files
    need not: converters do not know all of them.

    Raises:
        ValueError: a layer cannot be copied.

    Examples:
        >>> from keras_convnets import create_model
        >>> model = create_model("lenet_5")
        >>> in_float32(model) is model
        True
    """
    if all(layer.compute_dtype == _FLOAT32 for layer in all_layers(model)):
        return model

    try:
        copy = retyped(model, lambda _: _FLOAT32)
    except NotCopied as error:
        raise ValueError(
            f"model: {model.name} computes in {model.compute_dtype}, and cannot be copied in "
            f"float32 ({error}); expected layers that from_config(get_config()) makes "
            "again. Give them a get_config, or build it in float32."
        ) from error
    pass_on(model, copy)
    return copy
