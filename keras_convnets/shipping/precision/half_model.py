"""A model that stores its weights as half floats and computes in them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_convnets.keras_private import operation_of
from keras_convnets.printable import one_line
from keras_convnets.received import shown
from keras_convnets.shipping.engines.kinds import SAVED_MODEL, Kind

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
    last = {operation_of(tensor).name for tensor in model.outputs}

    def copied(layer: Any) -> Any:
        config = layer.get_config()
        if not isinstance(layer, _AS_THEY_ARE) and layer.name not in last:
            is_norm = isinstance(layer, keras.layers.BatchNormalization)
            config["dtype"] = f"mixed_{precision}" if is_norm else precision
        return layer.__class__.from_config(config)

    try:
        half = keras.models.clone_model(model, clone_function=copied)
    except Exception as error:  # anybody's layers
        raise ValueError(
            f"precision: received {precision!r}, and {shown(model.name)} cannot be copied in it "
            f"({one_line(error)}); expected layers that their configuration makes again. Give "
            "them a get_config, or export in float32."
        ) from error
    half.set_weights(model.get_weights())
    _check_range(half, precision)
    return half


def _check_range(half: Any, precision: str) -> None:
    for weight in half.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight).astype(np.float32)).all():
            raise ValueError(
                f"precision: received {precision!r}, whose largest number is 65,504; expected one "
                f"that has all weights of {weight.path}. Export in bfloat16 or float32."
            )
