"""Short descriptions of layers, in the notation of figures in papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from keras_convnets.graph.layer_types import (
    ACTIVATIONS,
    MERGES,
    NORMALISATIONS,
    OPAQUE,
    LayerType,
    class_of,
    type_of,
)

KINDS = (
    "input",
    "convolution",
    "pooling",
    "dense",
    "normalisation",
    "activation",
    "merge",
    "model",
    "other",
)
_ACTIVATIONS = {"relu": "ReLU", "linear": "", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU"}


class Description(NamedTuple):
    """A short description of a layer.

    ``kind`` is one of `KINDS`. ``heavy`` layers are emphasised in a figure of blocks.
    ``activation`` is the name of the activation that the layer applies to its own result.
    """

    text: str
    kind: str
    heavy: bool
    activation: str = ""

    def in_full(self, activation: bool = True) -> str:
        """Return the description of a layer on its own, including its activation."""
        words = f"conv {self.text}" if self.kind == "convolution" else self.text
        return f"{words}, {self.activation}" if activation and self.activation else words


def describe(layer: Any) -> Description:
    """Return a short description of a layer; one without a rule is described by its class.

    Examples:
        >>> import keras
        >>> describe(keras.layers.Conv2D(64, 7, strides=2)).text
        '7×7, 64, /2'
    """
    layer_type = type_of(layer)
    if layer_type in AROUND:
        inner = describe(layer.layer)
        return inner._replace(text=f"{inner.text}, {AROUND[layer_type]}")
    if layer_type in RULES:
        kind, is_heavy, words = RULES[layer_type]
        return Description(words(layer), kind, is_heavy, _fused(layer))
    is_heavy = bool(getattr(layer, "weights", None))
    return Description(type(layer).__name__, "other", is_heavy, _fused(layer))


def _activation_name(function: Any) -> str:
    """Return an activation's name as papers write it; an empty string for the identity."""
    name = getattr(function, "__name__", type(function).__name__)
    name = function if isinstance(function, str) else name
    return _ACTIVATIONS.get(name, name)


def _conv(layer: Any) -> str:
    return _joined(
        _window(layer.kernel_size),
        str(layer.filters),
        _strides(layer.strides),
        f"{layer.groups} groups" if layer.groups > 1 else "",
        _dilation(layer),
    )


def _depthwise(layer: Any) -> str:
    each = f"× {layer.depth_multiplier}" if layer.depth_multiplier > 1 else ""
    window = f"{_window(layer.kernel_size)} depthwise"
    return _joined(
        " ".join(filter(None, [window, each])), _strides(layer.strides), _dilation(layer)
    )


def _separable(layer: Any) -> str:
    window = f"{_window(layer.kernel_size)} separable"
    return _joined(window, str(layer.filters), _strides(layer.strides), _dilation(layer))


def _transposed(layer: Any) -> str:
    window = f"{_window(layer.kernel_size)} transposed"
    return _joined(window, str(layer.filters), _strides(layer.strides, "×"), _dilation(layer))


def _pool(what: str) -> Callable[[Any], str]:
    return lambda layer: _joined(f"{what} {_window(layer.pool_size)}", _strides(layer.strides))


def _fixed(text: str) -> Callable[[Any], str]:
    return lambda layer: text


def _fused(layer: Any) -> str:
    """Return the activation that a layer applies to its result; none for activation layers."""
    function = getattr(layer, "activation", None)
    is_activation = type_of(layer) is LayerType.ACTIVATION
    return "" if function is None or is_activation else _activation_name(function)


def _window(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))


def _strides(strides: tuple[int, ...], sign: str = "/") -> str:
    if max(strides) == 1:
        return ""
    return f"{sign}{strides[0]}" if len(set(strides)) == 1 else f"{sign}{_window(strides)}"


def _dilation(layer: Any) -> str:
    rate = layer.dilation_rate
    return f"dilated {_window(rate)}" if max(rate) > 1 else ""


def _model(layer: Any) -> str:
    count = _count_layers(layer)
    return f"model of {count} layer{'s' * (count != 1)}"


def _count_layers(model: Any) -> int:
    """Return the number of layers in a model, nested models included, without the inputs."""
    return sum(
        _count_layers(layer) if isinstance(layer, keras.Model) else 1
        for layer in model.layers
        if type_of(layer) is not LayerType.INPUT
    )


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _upsampling(layer: Any) -> str:
    size = layer.size if isinstance(layer.size, tuple) else (layer.size,)
    return f"upsample ×{_window(size)}"


def _activation(layer: Any) -> str:
    if hasattr(layer, "activation"):
        return _activation_name(layer.activation) or "linear"
    return _by_class(layer)


def _dropout(layer: Any) -> str:
    rate = getattr(layer, "rate", None)
    return type(layer).__name__ if rate is None else f"dropout {rate:g}"


def _adaptive(layer: Any) -> str:
    what = "avg" if "Average" in class_of(layer) else "max"
    return f"adaptive {what} pool {_window(layer.output_size)}"


def _by_class(layer: Any) -> str:
    """Return the notation of papers for a layer's class."""
    name = class_of(layer)
    return _TEXTS.get(name, name)


# The kind of a layer, whether a figure of blocks emphasises it, and its description.
RULES: dict[LayerType, tuple[str, bool, Callable[[Any], str]]] = {
    LayerType.INPUT: ("input", True, _fixed("input")),
    LayerType.MODEL: ("model", True, _model),
    LayerType.CONVOLUTION: ("convolution", True, _conv),
    LayerType.DEPTHWISE: ("convolution", True, _depthwise),
    LayerType.SEPARABLE: ("convolution", True, _separable),
    LayerType.TRANSPOSED: ("convolution", True, _transposed),
    LayerType.DENSE: ("dense", True, lambda layer: f"dense {layer.units}"),
    LayerType.MAX_POOLING: ("pooling", True, _pool("max pool")),
    LayerType.AVERAGE_POOLING: ("pooling", True, _pool("avg pool")),
    LayerType.GLOBAL_MAX_POOLING: ("pooling", True, _fixed("global max pool")),
    LayerType.GLOBAL_AVERAGE_POOLING: ("pooling", True, _fixed("global avg pool")),
    LayerType.ADAPTIVE_POOLING: ("pooling", True, _adaptive),
    LayerType.POOLING_OPERATION: ("pooling", True, _by_class),
    **dict.fromkeys(NORMALISATIONS, ("normalisation", False, _by_class)),
    **dict.fromkeys(ACTIVATIONS, ("activation", False, _activation)),
    **dict.fromkeys(MERGES, ("merge", False, _by_class)),
    LayerType.DROPOUT: ("other", False, _dropout),
    LayerType.PADDING: ("other", False, _fixed("pad")),
    LayerType.FLATTEN: ("other", False, _fixed("flatten")),
    LayerType.UPSAMPLING: ("other", True, _upsampling),
    LayerType.PADDED_CHANNELS: (
        *("other", True),
        lambda layer: f"pad to {layer.channels} channels",
    ),
    LayerType.TAKEN_CHANNELS: (
        *("other", False),
        lambda layer: f"take {len(layer.indices)} channels",
    ),
}
# Wrappers are described by their inner layer and these words.
AROUND = {
    LayerType.PER_STEP: "each step",
    LayerType.SPECTRAL_NORMALISATION: "spectral norm",
}
# Types that are described by their class.
UNKNOWN = OPAQUE | {
    *(LayerType.RECURRENT, LayerType.BIDIRECTIONAL, LayerType.PAD_OPERATION),
    *(LayerType.SLICES, LayerType.SPLIT),
    *(LayerType.IDENTITY, LayerType.SCALING, LayerType.AUGMENTATION, LayerType.ELEMENTWISE),
    *(LayerType.CROPPING, LayerType.RESHAPE, LayerType.RESIZING, LayerType.REARRANGEMENT),
    *(LayerType.REDUCTION, LayerType.IMAGE, LayerType.LOOKUP),
}
_TEXTS = {
    "Add": "+",
    "Average": "average",
    "BatchNormalization": "BN",
    "Concatenate": "concat",
    "CustomScaleLayer": "+ scaled",
    "GroupNormalization": "group norm",
    "LayerNormalization": "layer norm",
    "LeakyReLU": "leaky ReLU",
    "LocalResponseNormalization": "LRN",
    "Maximum": "max",
    "Minimum": "min",
    "Multiply": "×",
    "Normalization": "normalize",
    "RMSNormalization": "RMS norm",
    "Relu": "ReLU",
    "Relu6": "ReLU6",
    "Softmax": "softmax",
    "Subtract": "−",
    "UnitNormalization": "unit norm",
}
