"""Weights for another number of channels or classes than the file has."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from keras_convnets.weights.placing.head_layers import head_of, is_head
from keras_convnets.weights.placing.placement import Placement, Value

CHANNELS = ("sum", "mean", "zero")
_BACKGROUND = (1001, 1000)  # outputs of a file whose first class is the background, and without


@dataclasses.dataclass(frozen=True, eq=False)
class Adapted:
    """The values of a placement in the shapes of the model's weights.

    Attributes:
        values: the values by weight.
        adapted: the weights that were changed to fit, each with how.
        anew: the layers that keep their initial values, each with why.
        missing: the weights that the file lacks, without those of layers made anew.
    """

    values: dict[str, Value]
    adapted: dict[str, str]
    anew: dict[str, str]
    missing: tuple[str, ...]


def adapt(shapes: Mapping[str, tuple[int, ...]], placement: Placement, channels: str) -> Adapted:
    """Return the values of a file in the shapes of a model's weights.

    Args:
        shapes: the shape of each weight of the model.
        placement: the values, in the shapes of the file.
        channels: how the kernel of the first convolution becomes one of other channels, one of
            `CHANNELS`.

    Raises:
        ValueError: a value has another shape, of which nothing can be made.
    """
    stem = next((_layer(name) for name, shape in shapes.items() if len(shape) == 4), None)
    values = dict(placement.values)
    adapted: dict[str, str] = {}
    anew = _absent_heads(shapes, placement)
    for name, value in list(values.items()):
        if value.array.shape == shapes[name]:
            continue
        layer = name.rsplit("/", 1)[0]
        if layer == stem and _differ(value, shapes[name]) == {2}:
            values[name], how = _other_channels(value, shapes[name][2], channels, name)
        elif (outputs := _other_outputs(layer, value, shapes[name])) == _BACKGROUND:
            values[name] = Value(value.array[..., 1:], value.key)
            how = "1,001 classes to 1,000: without the first, the background"
        elif outputs is not None:
            anew[layer] = f"{outputs[1]:,} outputs, {outputs[0]:,} in the file"
            continue
        else:
            raise _unfit(name, value, shapes[name])
        adapted[name] = how
    values = {name: value for name, value in values.items() if _layer(name) not in anew}
    adapted = {name: how for name, how in adapted.items() if name in values}
    missing = tuple(name for name in placement.missing if _layer(name) not in anew)
    return Adapted(values, adapted, anew, missing)


def _layer(name: str) -> str:
    return name.rsplit("/", 1)[0]


def _absent_heads(shapes: Mapping[str, tuple[int, ...]], placement: Placement) -> dict[str, str]:
    """Return the layers of the heads of which the file has nothing at all."""
    present = {head_of(_layer(name)) for name in placement.values}
    absent = {}
    for name in shapes:
        head = head_of(_layer(name))
        if head is not None and head not in present:
            absent[_layer(name)] = f"the file has no {'' if head == 'head' else 'auxiliary '}head"
    return absent


def _differ(value: Value, shape: tuple[int, ...]) -> set[int]:
    """Return the axes in which the sizes differ; an axis of its own if the number of axes does."""
    theirs = value.array.shape
    if len(theirs) != len(shape):
        return {-1}
    return {axis for axis, size in enumerate(shape) if theirs[axis] != size}


def _other_outputs(layer: str, value: Value, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the outputs of a classifier in the file and in the model; ``None`` for any other."""
    if not is_head(layer) or _differ(value, shape) != {len(shape) - 1}:
        return None
    return value.array.shape[-1], shape[-1]


def _other_channels(value: Value, wanted: int, channels: str, name: str) -> tuple[Value, str]:
    """Return the kernel of the stem for another number of channels, and what was done.

    An image that is grey in all channels gives what it gave before (but with ``"zero"``).
    """
    kernel = value.array
    have = kernel.shape[2]
    if channels == "zero":
        if wanted < have:
            raise ValueError(
                f"channels: received 'zero' for {wanted} channels, and {name} has {have} in the "
                "file; expected more channels than that. Pass channels='sum' or 'mean'."
            )
        rest = np.zeros((*kernel.shape[:2], wanted - have, kernel.shape[3]), kernel.dtype)
        made, how = np.concatenate([kernel, rest], axis=2), "the others are zero"
    elif wanted == 1:
        made, how = kernel.sum(axis=2, keepdims=True), "their sum"
    elif channels == "mean":
        mean = kernel.mean(axis=2, keepdims=True) * (have / wanted)
        made, how = np.repeat(mean, wanted, axis=2), f"their mean, times {have}/{wanted}"
    else:
        repeated = np.tile(kernel, (1, 1, math.ceil(wanted / have), 1))[:, :, :wanted]
        made, how = repeated * (have / wanted), f"repeated, times {have}/{wanted}"
    made = made.astype(kernel.dtype)
    noun = "channel" if have == 1 else "channels"
    return Value(made, value.key), f"{have} {noun} to {wanted}: {how}"


def _unfit(name: str, value: Value, shape: tuple[int, ...]) -> ValueError:
    received = f"weights: received {value.key!r} of shape {_shown(value.array.shape)}"
    expected = f"expected {_shown(shape)}, the shape of {name}"
    if is_head(_layer(name)) and len(shape) == 2 and _differ(value, shape) == {0}:
        return ValueError(
            f"{received}; {expected}, whose layer follows a flatten or another width: the weights "
            "are for images of another size. Pass the input_shape that they were trained at, "
            "fully_convolutional=True where the builder has it, or include_top=False."
        )
    return ValueError(
        f"{received} (its axes in Keras' order); {expected}. Build the network that the weights "
        "were trained in."
    )


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "()"
