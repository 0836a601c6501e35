"""A layer in a few words, as a figure in a paper would say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

_ACTIVATIONS = {"relu": "ReLU", "linear": ""}


class Step(NamedTuple):
    """A layer in a few words, and whether it is one that a figure should bring out."""

    text: str
    heavy: bool


def describe(layer: Any) -> Step:
    """Return a layer in a few words; one without a rule is called by its class.

    Examples:
        >>> import keras
        >>> describe(keras.layers.Conv2D(64, 7, strides=2)).text
        '7×7 conv, 64, /2'
    """
    kind = type(layer).__name__
    if kind in _HEAVY:
        return Step(_HEAVY[kind](layer), heavy=True)
    if kind in _LIGHT:
        return Step(_LIGHT[kind](layer), heavy=False)
    return Step(kind, heavy=bool(getattr(layer, "weights", None)))


def _conv(layer: Any) -> str:
    return _joined(
        f"{_window(layer.kernel_size)} conv, {layer.filters}",
        _strides(layer.strides),
        f"{layer.groups} groups" if layer.groups > 1 else "",
        f"dilated {_window(layer.dilation_rate)}" if max(layer.dilation_rate) > 1 else "",
        _activation(layer.activation),
    )


def _pool(what: str) -> Callable[[Any], str]:
    return lambda layer: _joined(f"{_window(layer.pool_size)} {what}", _strides(layer.strides))


def _dense(layer: Any) -> str:
    return _joined(f"dense, {layer.units}", _activation(layer.activation))


def _activation(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return _ACTIVATIONS.get(name, name)


def _window(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))


def _strides(strides: tuple[int, ...]) -> str:
    if max(strides) == 1:
        return ""
    return f"/{strides[0]}" if len(set(strides)) == 1 else f"/{_window(strides)}"


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)


_HEAVY: dict[str, Callable[[Any], str]] = {
    "InputLayer": lambda layer: "input",
    "Conv2D": _conv,
    "Dense": _dense,
    "MaxPooling2D": _pool("max pool"),
    "AveragePooling2D": _pool("average pool"),
    "GlobalAveragePooling2D": lambda layer: "global average pool",
    "GlobalMaxPooling2D": lambda layer: "global max pool",
}
_LIGHT: dict[str, Callable[[Any], str]] = {
    "BatchNormalization": lambda layer: "BN",
    "Activation": lambda layer: _activation(layer.activation) or "linear",
    "ReLU": lambda layer: "ReLU",
    "Add": lambda layer: "add",
    "Concatenate": lambda layer: "concatenate",
    "Dropout": lambda layer: f"dropout {layer.rate:g}",
    "Flatten": lambda layer: "flatten",
}
