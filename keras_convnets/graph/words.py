"""A layer in a few words, as a figure in a paper would say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from keras import layers

from keras_convnets.graph.layer_classes import layer_classes
from keras_convnets.layers import LocalResponseNormalization, PadChannels, TakeChannels

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
_NO_SETTINGS = {"name", "seed", "trainable", "batch_shape", "build_config"}
_ACTIVATIONS = {"relu": "ReLU", "linear": "", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU"}


class Step(NamedTuple):
    """A layer in a few words.

    ``kind`` is one of `KINDS`; a figure of blocks brings out what is ``heavy``; ``activation``
    names what the layer applies to its own result.
    """

    text: str
    kind: str
    heavy: bool
    activation: str = ""

    def in_full(self, activation: bool = True) -> str:
        """Return the words for a layer that stands alone, with what it applies to its result."""
        words = f"conv {self.text}" if self.kind == "convolution" else self.text
        return f"{words}, {self.activation}" if activation and self.activation else words


def describe(layer: Any) -> Step:
    """Return a layer in a few words; one without a rule is called by its class.

    Examples:
        >>> import keras
        >>> describe(keras.layers.Conv2D(64, 7, strides=2)).text
        '7×7, 64, /2'
    """
    for classes, kind, heavy, words in _RULES:
        if isinstance(layer, classes):
            return Step(words(layer), kind, heavy, _fused(layer))
    if "_functional" in vars(layer) or hasattr(layer, "operations"):
        return Step(_model(layer), "model", heavy=True)
    name = type(layer).__name__
    text, kind = _BY_NAME.get(name, (name, "other"))
    return Step(text, kind, heavy=bool(getattr(layer, "weights", None)), activation=_fused(layer))


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
        if key not in _NO_SETTINGS and not key.endswith("_initializer")
    }
    own = kind.startswith(("keras.", "keras_convnets."))
    shapes = [] if own else [tuple(weight.shape) for weight in getattr(layer, "weights", [])]
    return f"{kind}({kept}, {shapes})"


def is_heavy(layer: Any) -> bool:
    """Return whether a figure of blocks brings the layer out: convolution, pooling, dense, ..."""
    return describe(layer).heavy


def noun(calls: Iterable[Any]) -> str:
    """Return a word for a group of layers: ``block`` where it merges, else what is heaviest."""
    found = [describe(call.layer).kind for call in calls]
    if "merge" in found:
        return "block"
    words = {"convolution": "conv", "dense": "dense", "model": "model", "pooling": "pool"}
    return next((word for kind, word in words.items() if kind in found), "layer")


def _activation_name(function: Any) -> str:
    """Return an activation's name as papers write it; nothing for the identity."""
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
    if isinstance(layer, layers.Activation) or not hasattr(layer, "activation"):
        return ""
    return "" if layer.activation is None else _activation_name(layer.activation)


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
    """Return the number of layers in a model and in the models within, inputs left out."""
    return sum(
        _count_layers(layer) if hasattr(layer, "layers") else 1
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer)
    )


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)


_RULES: tuple[tuple[tuple[type, ...], str, bool, Callable[[Any], str]], ...] = (
    ((layers.InputLayer,), "input", True, _fixed("input")),
    (layer_classes("DepthwiseConv{}D"), "convolution", True, _depthwise),
    (layer_classes("SeparableConv{}D"), "convolution", True, _separable),
    (layer_classes("Conv{}DTranspose"), "convolution", True, _transposed),
    (layer_classes("Conv{}D"), "convolution", True, _conv),
    ((layers.Dense,), "dense", True, lambda layer: f"dense {layer.units}"),
    (layer_classes("MaxPooling{}D"), "pooling", True, _pool("max pool")),
    (layer_classes("AveragePooling{}D"), "pooling", True, _pool("avg pool")),
    (layer_classes("GlobalAveragePooling{}D"), "pooling", True, _fixed("global avg pool")),
    (layer_classes("GlobalMaxPooling{}D"), "pooling", True, _fixed("global max pool")),
    ((layers.BatchNormalization,), "normalisation", False, _fixed("BN")),
    ((layers.LayerNormalization,), "normalisation", False, _fixed("layer norm")),
    ((layers.GroupNormalization,), "normalisation", False, _fixed("group norm")),
    ((layers.Normalization,), "normalisation", False, _fixed("normalize")),
    ((LocalResponseNormalization,), "normalisation", False, _fixed("LRN")),
    (
        (layers.Activation,),
        "activation",
        False,
        lambda layer: _activation_name(layer.activation) or "linear",
    ),
    ((layers.Dropout,), "other", False, lambda layer: f"dropout {layer.rate:g}"),
    ((layers.Flatten,), "other", False, _fixed("flatten")),
    (layer_classes("ZeroPadding{}D"), "other", False, _fixed("pad")),
    ((PadChannels,), "other", True, lambda layer: f"pad to {layer.channels} channels"),
    ((TakeChannels,), "other", False, lambda layer: f"take {len(layer.indices)} channels"),
    (
        layer_classes("UpSampling{}D"),
        "other",
        True,
        lambda layer: f"upsample ×{_window(_pair(layer.size))}",
    ),
)
# Further layers, and the operations that ``x + y`` makes, by the name of their class.
_BY_NAME = {
    "Add": ("+", "merge"),
    "Average": ("average", "merge"),
    "Concatenate": ("concat", "merge"),
    "CustomScaleLayer": ("+ scaled", "merge"),
    "ELU": ("ELU", "activation"),
    "LeakyReLU": ("leaky ReLU", "activation"),
    "Maximum": ("max", "merge"),
    "Minimum": ("min", "merge"),
    "Multiply": ("×", "merge"),
    "PReLU": ("PReLU", "activation"),
    "ReLU": ("ReLU", "activation"),
    "Relu": ("ReLU", "activation"),
    "Softmax": ("softmax", "activation"),
    "Subtract": ("−", "merge"),
}


def _pair(size: Any) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (size,)
