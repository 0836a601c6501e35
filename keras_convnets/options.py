"""The keyword options common to all builders: their names, defaults and meaning."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import keras

from keras_convnets import axes, checks, received

InputShape = Sequence[int | None]
"""``(channels, rows, cols)``, whatever the data format; rows and columns may be ``None`` if the
network supports it."""

Outputs = int | None
"""The number of outputs, at least 1; it may be ``None`` without the top."""


class Options(TypedDict, total=False):
    """Keyword options common to every ``build`` and ``build_*``."""

    data_format: str | None
    """``"channels_first"``, ``"channels_last"``, or ``None`` for Keras' setting
    (``keras.config.image_data_format()``) at build time. Default ``None``."""

    include_top: bool
    """Whether the network ends in its classifier. Default ``True``. If ``False``, ``num_outputs``
    and ``classifier_activation`` are not used, and ``num_outputs`` may be ``None``."""

    pooling: str | None
    """The output of a network without its top: ``None`` for feature maps, ``"avg"`` or ``"max"``
    for one vector per image by global pooling. Default ``None``; must be ``None`` with the top."""

    classifier_activation: str | Callable[..., Any] | None
    """The activation of the outputs: any Keras activation such as ``"softmax"`` or ``"sigmoid"``,
    or ``None`` for logits. Default ``"softmax"``; for one output pass ``"sigmoid"``, because the
    softmax of one output is always 1, of which a warning tells."""

    l2_penalty: float | None
    """The factor of the L2 penalty on convolution kernels: ``l2_penalty * sum(w ** 2)`` is added to
    the loss; 0 for none. Default ``None``, the source's: 1e-4 in the classic
    [`ResnetBuilder`][keras_convnets.ResnetBuilder], none in every other builder. The weight decay
    that papers give is twice this factor; it is set in a
    [recipe][keras_convnets.training.Recipe]."""

    name: str | None
    """The name of the ``keras.Model``. Default ``None``: the network's own (``"resnet_34"``)."""

    weights: str | os.PathLike[str] | None
    """The trained weights to load: the path of a file, or the name of published weights such as
    ``"torchvision"``, as in [`load_weights`][keras_convnets.load_weights]. The first convolution is
    adapted to other channels, the head starts anew for other numbers of outputs, and
    [`weights_report_of(model)`][keras_convnets.weights_report_of] says what was done. Default
    ``None``: the weights are initialised at random."""

    memory_efficient: bool
    """Whether the dense blocks train in less memory, and some more time, as by
    [`memory_efficient`][keras_convnets.memory_efficient]. Default ``False``; a network without
    dense blocks is refused."""


_DEFAULTS: Options = {
    "data_format": None,
    "include_top": True,
    "pooling": None,
    "classifier_activation": "softmax",
    "l2_penalty": None,
    "name": None,
    "weights": None,
    "memory_efficient": False,
}


def resolve(options: Options) -> Options:
    """Return all options, checked, with defaults for those that are missing.

    Raises:
        TypeError: for an unknown option.
        ValueError: for an invalid value.
    """
    for name in options:
        if name not in _DEFAULTS:
            raise TypeError(
                f"unknown option {name!r}; the options are {', '.join(_DEFAULTS)}."
                f"{checks.instead_of_option(name, _DEFAULTS)}"
            )
    chosen: Options = {**_DEFAULTS, **options}
    checks.choice("data_format", chosen["data_format"], (*axes.FORMATS, None))
    checks.choice("include_top", chosen["include_top"], (True, False))
    checks.choice("memory_efficient", chosen["memory_efficient"], (True, False))
    checks.choice("pooling", chosen["pooling"], ("avg", "max", None))
    _check_pooling_without_top(chosen)
    check_activation("classifier_activation", chosen["classifier_activation"])
    if chosen["l2_penalty"] is not None:
        chosen["l2_penalty"] = checks.non_negative_number(
            "l2_penalty", chosen["l2_penalty"], "the factor of the L2 penalty, such as 1e-4"
        )
    if chosen["name"] is not None:
        checks.model_name(chosen["name"])
    if chosen["weights"] is not None and received.path(chosen["weights"]) is None:
        raise ValueError(
            f"weights: received {received.shown(chosen['weights'])}; expected the path of a file, "
            "the name of published weights, or None. Pass one such as 'resnet50.safetensors'."
        )
    return chosen


def _check_pooling_without_top(chosen: Options) -> None:
    if chosen["include_top"] and chosen["pooling"] is not None:
        raise ValueError(
            f"pooling: received {chosen['pooling']!r} with include_top=True; the classifier has "
            "its own pooling. Leave pooling out, or pass include_top=False."
        )


def check_activation(what: str, activation: str | Callable[..., Any] | None) -> None:
    """Reject an activation that Keras does not know, called ``what`` in the error."""
    if activation is None or callable(activation):
        return
    names = {name for name in dir(keras.activations) if not name.startswith("_")}
    known = sorted(names - {"deserialize", "get", "serialize"})
    checks.choice(what, activation, (*known, None))
