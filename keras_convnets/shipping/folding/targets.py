"""Which layers can take a normalisation next to them, and why others cannot."""

from __future__ import annotations

from typing import Any

import keras

from keras_convnets import layers as own
from keras_convnets.graph.layer_types import KERNELS, LayerType, type_of
from keras_convnets.shipping.folding.passing import channel_axis, is_own_layer

# Convolutions of channels_first whose bias is always added along the channels.
SAFE = {
    keras.layers.Conv2D: own.Conv2D,
    keras.layers.DepthwiseConv2D: own.DepthwiseConv2D,
}
_OWN = tuple(SAFE.values())


def has_kernel(layer: Any) -> bool:
    """Return whether a layer is a convolution or a dense layer, of whichever class."""
    return type_of(layer) in KERNELS | {LayerType.DENSE}


def refusal(layer: Any, norm: Any) -> str | None:
    """Return why a convolution or dense layer can take no normalisation; ``None`` if it can."""
    kind = type(layer).__name__
    if not is_own_layer(layer):
        return f"{kind} is a class of its own, which may compute something else"
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return f"the {kind} is quantised or adapted by LoRA"
    if layer.compute_dtype != norm.compute_dtype:
        return f"it computes in {norm.compute_dtype}, the {kind} in {layer.compute_dtype}"
    return None


def refusal_after(layer: Any, output: Any) -> str | None:
    """Return why a layer can take no normalisation of its output; ``None`` if it can."""
    if getattr(layer, "activation", None) not in (None, keras.activations.linear):
        return f"an activation inside the {type(layer).__name__} comes first"
    return unsafe_bias(layer, output)


def refusal_before(layer: Any, output: Any, shifts: bool) -> str | None:
    """Return why a layer can take no normalisation of its input; ``None`` if it can.

    Zeros beyond the edges are not normalised, so that a shift would change them.
    """
    if shifts and pads(layer):
        return f"the {type(layer).__name__} after it sees zeros beyond the edges"
    return unsafe_bias(layer, output)


def pads(layer: Any) -> bool:
    """Return whether the inputs of a layer seem to have zeros beyond the edges, or between them."""
    if type_of(layer) is LayerType.DENSE:
        return False
    is_point = max(layer.kernel_size) == 1
    if type_of(layer) is LayerType.TRANSPOSED:
        return not is_point or max(layer.strides) > 1
    return layer.padding != "valid" and not is_point


def unsafe_bias(layer: Any, output: Any) -> str | None:
    """Return why a layer of channels_first cannot have a bias; ``None`` if it can.

    With TensorFlow, Keras adds the bias along the last axis if that has as many entries.
    """
    axis = channel_axis(layer, len(output.shape))
    is_last = axis == len(output.shape) - 1
    if is_last or isinstance(layer, _OWN) or keras.backend.backend() != "tensorflow":
        return None
    if type(layer) in SAFE and not layer.use_bias:
        return None  # its twin will be of the other class
    if output.shape[-1] not in (None, output.shape[axis]) or (
        type(layer) in SAFE and output.shape[-1] is None
    ):
        return None
    return f"Keras may add the bias of a channels_first {type(layer).__name__} along another axis"


def twin_class(layer: Any) -> Any:
    """Return the class that the layer has once it has a bias."""
    is_first = getattr(layer, "data_format", None) == "channels_first"
    return SAFE.get(type(layer), type(layer)) if is_first else type(layer)


def folded(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a layer with a bias, for inference.

    Penalties and constraints were for the weights before: those of the folded layer are others.
    """
    dropped = [key for key in config if key.endswith(("_regularizer", "_constraint"))]
    return config | dict.fromkeys(dropped) | {"use_bias": True}
