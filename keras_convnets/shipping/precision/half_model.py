"""A model that stores its weights as half floats and computes in them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_convnets.graph.functional import is_functional
from keras_convnets.keras_private import operation_of
from keras_convnets.received import shown
from keras_convnets.shipping.engines.kinds import SAVED_MODEL, Kind
from keras_convnets.shipping.precision.retyped import NotCopied, retyped

_AS_THEY_ARE = (keras.layers.InputLayer, keras.layers.Rescaling, keras.layers.Normalization)
"""Layers of images: bfloat16 has no more digits than their pixels have."""


def in_precision_of(kind: Kind, model: Any, precision: str) -> Any:
    """Return the model whose graph becomes a file of a precision.

    Of a SavedModel that is `half_model`; files of other kinds get their precision in the writing.
    """
    is_half = kind is SAVED_MODEL and precision in ("float16", "bfloat16")
    return half_model(model, precision) if is_half else model


def half_model(model: Any, precision: str) -> Any:
    """Return a copy of a functional model in float16 or bfloat16.

    Its input and its outputs stay float32. So do the layers that make the outputs, whose softmax
    would overflow, and the statistics of batch normalisations, which few bytes hold.

    Args:
        model: a functional model, whose weights are float32.
        precision: ``"float16"`` or ``"bfloat16"``.

    Raises:
        ValueError: a weight is too large for float16, or a layer cannot be copied.

    Examples:
        >>> from keras_convnets import create_model
        >>> half = half_model(create_model("lenet_5"), "bfloat16")
        >>> half.get_layer("conv1_conv").kernel.dtype, half.outputs[0].dtype
        ('bfloat16', 'float32')
    """
    last = _last_layers(model)

    def dtype_of(layer: Any) -> str | None:
        if isinstance(layer, _AS_THEY_ARE) or layer.name in last:
            return None
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        return f"mixed_{precision}" if is_norm else precision

    try:
        half = retyped(model, dtype_of)
    except NotCopied as error:
        raise ValueError(
            f"precision: received {precision!r}, and {shown(model.name)} cannot be copied in it "
            f"({error}); expected layers that their configuration makes again. Give "
            "them a get_config, or export in float32."
        ) from error
    _check_range(half, precision)
    return half


def _last_layers(model: Any) -> set[str]:
    """Return the names of the layers that make the outputs, in models within, too."""
    found: set[str] = set()
    for layer in map(operation_of, model.outputs):
        found |= _last_layers(layer) if is_functional(layer) else {layer.name}
    return found


def _check_range(half: Any, precision: str) -> None:
    for weight in half.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight).astype(np.float32)).all():
            raise ValueError(
                f"precision: received {precision!r}, whose largest number is 65,504; expected one "
                f"that has all weights of {weight.path}. Export in bfloat16 or float32."
            )
