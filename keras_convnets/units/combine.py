"""Units and tensors combined: one after the other, side by side, added, concatenated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import layers

from keras_convnets import axes
from keras_convnets.layers import PadChannels, TakeChannels
from keras_convnets.naming import layer_name, on_branch

Tensor = Any
Unit = Callable[[Tensor], Tensor]
"""A piece of a network: a function from tensor to tensor, such as `conv` and every block return."""

Part = tuple[str, Unit]
"""A place in a network: the name of a group, and the unit whose layers are named after it."""


def chain(*units: Unit) -> Unit:
    """Return the units one after the other, as one."""

    def apply(x: Tensor) -> Tensor:
        for unit in units:
            x = unit(x)
        return x

    return apply


def branches(**units: Unit) -> Callable[[Tensor], list[Tensor]]:
    """Return a function that applies several units to one tensor, each named after its branch."""

    def apply(x: Tensor) -> list[Tensor]:
        found = []
        for name, unit in units.items():
            with on_branch(name):
                found.append(unit(x))
        return found

    return apply


def add(*tensors: Tensor) -> Tensor:
    """Return the sum of tensors of one shape."""
    return layers.Add(name=layer_name("add"))(list(tensors))


def multiply(*tensors: Tensor) -> Tensor:
    """Return the product of tensors that broadcast to one shape."""
    return layers.Multiply(name=layer_name("multiply"))(list(tensors))


def concat(*tensors: Tensor) -> Tensor:
    """Return the concatenation of tensors along their channels."""
    return layers.Concatenate(axis=axes.channel_axis(), name=layer_name("concat"))(list(tensors))


def scale(factor: float) -> Unit:
    """Return multiplication by a number; with factor 1, the tensor itself."""
    return lambda x: x if factor == 1 else layers.Rescaling(factor, name=layer_name("scale"))(x)


def pad_channels(channels: int) -> Unit:
    """Return [`PadChannels`][keras_convnets.PadChannels]: zeros up to so many channels."""
    return lambda x: PadChannels(channels, axis=axes.channel_axis(), name=layer_name("pad"))(x)


def take_channels(indices: Sequence[int]) -> Unit:
    """Return [`TakeChannels`][keras_convnets.TakeChannels]: the channels of these numbers."""
    return lambda x: TakeChannels(indices, axis=axes.channel_axis(), name=layer_name("take"))(x)
