"""Combinations of units and tensors: chains, parallel branches, sums, products, concatenations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import layers

from keras_convnets import axes
from keras_convnets.layers import PadChannels, TakeChannels
from keras_convnets.naming import layer_name, on_branch
from keras_convnets.typed import typed

Tensor = Any
Unit = Callable[[Tensor], Tensor]
"""A function from tensor to tensor, as returned by `conv` and by every block function."""

Part = tuple[str, Unit]
"""A part of a network: the name of a group, and the unit whose layers are named after it."""


def chain(*units: Unit) -> Unit:
    """Return a unit that applies the given units in sequence."""

    def apply(x: Tensor) -> Tensor:
        for unit in units:
            x = unit(x)
        return x

    return apply


def branches(**units: Unit) -> Callable[[Tensor], list[Tensor]]:
    """Return a function that applies several units to one tensor, each under its branch name."""

    def apply(x: Tensor) -> list[Tensor]:
        found = []
        for name, unit in units.items():
            with on_branch(name):
                found.append(unit(x))
        return found

    return apply


def add(*tensors: Tensor) -> Tensor:
    """Return the sum of tensors of equal shape."""
    return layers.Add(name=layer_name("add"))(list(tensors))


def multiply(*tensors: Tensor) -> Tensor:
    """Return the product of tensors whose shapes broadcast."""
    return layers.Multiply(name=layer_name("multiply"))(list(tensors))


def concat(*tensors: Tensor) -> Tensor:
    """Return the concatenation of tensors along their channels."""
    return layers.Concatenate(axis=axes.channel_axis(), name=layer_name("concat"))(list(tensors))


@typed
def scale(factor: float) -> Unit:
    """Return a multiplication by a constant; with factor 1 it returns the tensor itself."""
    return lambda x: x if factor == 1 else layers.Rescaling(factor, name=layer_name("scale"))(x)


@typed
def pad_channels(channels: int) -> Unit:
    """Return [`PadChannels`][keras_convnets.PadChannels]: pads with zeros to ``channels``."""
    return lambda x: PadChannels(channels, axis=axes.channel_axis(), name=layer_name("pad"))(x)


@typed
def take_channels(indices: Sequence[int]) -> Unit:
    """Return [`TakeChannels`][keras_convnets.TakeChannels]: selects channels by index."""
    return lambda x: TakeChannels(indices, axis=axes.channel_axis(), name=layer_name("take"))(x)
