"""Putting tensors and units together: one after the other, side by side, added, concatenated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import layers

from keras_convnets import axes
from keras_convnets.layers import PadChannels, TakeChannels
from keras_convnets.naming import layer_name, on_branch

Tensor = Any
Unit = Callable[[Tensor], Tensor]
Part = tuple[str, Unit]  # a group's name, and what stands there


def chain(*parts: Unit) -> Unit:
    """Return the parts one after the other, as one."""

    def apply(x: Tensor) -> Tensor:
        for part in parts:
            x = part(x)
        return x

    return apply


def branches(**parts: Unit) -> Callable[[Tensor], list[Tensor]]:
    """Return a function that hands one tensor to several parts, named after their branches."""

    def apply(x: Tensor) -> list[Tensor]:
        found = []
        for name, part in parts.items():
            with on_branch(name):
                found.append(part(x))
        return found

    return apply


def add(*tensors: Tensor) -> Tensor:
    """Return the sum of tensors of one shape."""
    return layers.Add(name=layer_name("add"))(list(tensors))


def multiply(*tensors: Tensor) -> Tensor:
    """Return the product of tensors of one shape, or of such as broadcast to it."""
    return layers.Multiply(name=layer_name("multiply"))(list(tensors))


def concat(*tensors: Tensor) -> Tensor:
    """Return the channels of all tensors, one tensor's after the other's."""
    return layers.Concatenate(axis=axes.channel_axis(), name=layer_name("concat"))(list(tensors))


def scale(factor: float) -> Unit:
    """Return the multiplication of all maps by a number; with factor 1, the tensor itself."""
    return lambda x: x if factor == 1 else layers.Rescaling(factor, name=layer_name("scale"))(x)


def pad_channels(channels: int) -> Unit:
    """Return [`PadChannels`][keras_convnets.PadChannels]: zeros up to so many channels."""
    return lambda x: PadChannels(channels, axis=axes.channel_axis(), name=layer_name("pad"))(x)


def take_channels(indices: Sequence[int]) -> Unit:
    """Return [`TakeChannels`][keras_convnets.TakeChannels]: the channels of these numbers."""
    return lambda x: TakeChannels(indices, axis=axes.channel_axis(), name=layer_name("take"))(x)
