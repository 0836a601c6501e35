"""Shortcuts: the path from the input of a block to the addition."""

from __future__ import annotations

import functools
from collections.abc import Callable

from keras_convnets import axes, checks, units
from keras_convnets.naming import on_branch
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Tensor, Unit, chain

Strides = tuple[int, int]
Shortcut = Callable[[Tensor, Tensor, Strides], Tensor]


def with_shortcut(
    branch: Unit, strides: Strides, shortcut: Shortcut, before: Unit | None = None
) -> Unit:
    """Return a residual block: a residual branch and the shortcut added to its output.

    Args:
        branch: the residual branch.
        strides: the total strides of the residual branch.
        shortcut: ``shortcut(x, residual, strides)`` returns the sum.
        before: the unit before the branch: BN and ReLU in a pre-activation block. A shortcut that
            changes the input also takes its output; an identity takes the block's raw input.
    """

    def apply(x: Tensor) -> Tensor:
        active = x if before is None else before(x)
        residual = branch(active)
        start = active if differs(x, residual, strides) else x
        return shortcut(start, residual, strides)

    return apply


@typed
def shortcut_a(x: Tensor, residual: Tensor, strides: Strides) -> Tensor:
    """Return the sum of a residual and an identity without parameters (He et al. 2015, option A).

    Where shapes differ, the identity is subsampled to every second pixel and padded with channels
    of zeros.

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the total strides of the residual branch.
    """
    if differs(x, residual, strides):
        with on_branch("shortcut"):
            x = chain(subsample(strides), units.pad_channels(axes.channels(residual)))(x)
    return units.add(x, residual)


@typed
def shortcut_b(x: Tensor, residual: Tensor, strides: Strides, style: Style = TORCH) -> Tensor:
    """Return the sum of a residual and an identity, projected where shapes differ (option B).

    The projection is a 1x1 convolution with the strides of the residual branch, followed by batch
    normalisation.

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the total strides of the residual branch.
        style: the style of the projection and its normalisation.
    """
    if differs(x, residual, strides):
        return shortcut_c(x, residual, strides, style)
    return units.add(x, residual)


@typed
def shortcut_c(x: Tensor, residual: Tensor, strides: Strides, style: Style = TORCH) -> Tensor:
    """Return the sum of a residual and a projection, whatever the shapes (option C).

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the total strides of the residual branch.
        style: the style of the projection and its normalisation.
    """
    with on_branch("shortcut"):
        x = units.conv_bn(axes.channels(residual), 1, strides, "valid", style=style)(x)
    return units.add(x, residual)


def bare_shortcut(x: Tensor, residual: Tensor, strides: Strides, style: Style) -> Tensor:
    """Return the sum of a residual and an identity, projected where shapes differ, without BN."""
    if differs(x, residual, strides):
        with on_branch("shortcut"):
            x = units.style_conv(axes.channels(residual), 1, strides, "valid", style=style)(x)
    # The shortcut comes first: this determines the order of model.layers and get_weights().
    return units.add(x, residual)


def post_activation_shortcut(option: str, style: Style) -> Shortcut:
    """Return the shortcut of He et al. 2015's option ``"A"``, ``"B"`` or ``"C"``."""
    shortcuts: dict[str, Shortcut] = {
        "A": shortcut_a,
        "B": functools.partial(shortcut_b, style=style),
        "C": functools.partial(shortcut_c, style=style),
    }
    return shortcuts[checks.choice("shortcut", option, shortcuts)]


def pre_activation_shortcut(option: str, style: Style) -> Shortcut:
    """Return the shortcut ``"A"``, or ``"B"`` without BN, which the pre-activation replaces."""
    shortcuts: dict[str, Shortcut] = {
        "A": shortcut_a,
        "B": functools.partial(bare_shortcut, style=style),
    }
    return shortcuts[checks.choice("shortcut", option, shortcuts)]


def subsample(strides: Strides) -> Unit:
    """Return a unit that subsamples feature maps: an identity with strides."""
    strided = units.max_pool(1, strides, padding="valid")
    return lambda x: x if tuple(strides) == (1, 1) else strided(x)


def differs(x: Tensor, residual: Tensor, strides: Strides) -> bool:
    """Return whether a block's input must change its shape before it is added to the residual."""
    return tuple(strides) != (1, 1) or axes.channels(x) != axes.channels(residual)
