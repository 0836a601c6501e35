"""Shortcuts: what a block's input becomes before it is added to its residual branch."""

from __future__ import annotations

import functools
from collections.abc import Callable

from keras_convnets import axes, checks, units
from keras_convnets.naming import on_branch
from keras_convnets.units import TORCH, Style, Tensor, Unit, chain

Strides = tuple[int, int]
Shortcut = Callable[[Tensor, Tensor, Strides], Tensor]


def with_shortcut(
    branch: Unit, strides: Strides, shortcut: Shortcut, before: Unit | None = None
) -> Unit:
    """Return a residual branch, and the shortcut that is added to its output.

    Args:
        branch: the residual branch.
        strides: its strides as a whole.
        shortcut: ``shortcut(x, residual, strides)`` returns the sum.
        before: what comes before the branch: the BN and ReLU of a pre-activation block. A shortcut
            that changes the input starts from it, too; an identity takes the block's raw input.
    """

    def apply(x: Tensor) -> Tensor:
        active = x if before is None else before(x)
        residual = branch(active)
        start = active if differs(x, residual, strides) else x
        return shortcut(start, residual, strides)

    return apply


def shortcut_a(x: Tensor, residual: Tensor, strides: Strides) -> Tensor:
    """Return the sum of a residual and an identity without parameters (He et al. 2015, option A).

    Where shapes differ, every second pixel of the input is taken, and channels of zeros follow its
    own.

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the strides of the residual branch as a whole.
    """
    if differs(x, residual, strides):
        with on_branch("shortcut"):
            x = chain(subsample(strides), units.pad_channels(axes.channels(residual)))(x)
    return units.add(x, residual)


def shortcut_b(x: Tensor, residual: Tensor, strides: Strides, style: Style = TORCH) -> Tensor:
    """Return the sum of a residual and an identity, projected where shapes differ (option B).

    The projection is a 1x1 convolution with the strides of the residual branch, and batch
    normalisation.

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the strides of the residual branch as a whole.
        style: how the projection and its normalisation are made.
    """
    if differs(x, residual, strides):
        return shortcut_c(x, residual, strides, style)
    return units.add(x, residual)


def shortcut_c(x: Tensor, residual: Tensor, strides: Strides, style: Style = TORCH) -> Tensor:
    """Return the sum of a residual and a projection, whatever the shapes (option C).

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the strides of the residual branch as a whole.
        style: how the projection and its normalisation are made.
    """
    with on_branch("shortcut"):
        x = units.conv_bn(axes.channels(residual), 1, strides, "valid", style=style)(x)
    return units.add(x, residual)


def bare_shortcut(x: Tensor, residual: Tensor, strides: Strides, style: Style) -> Tensor:
    """Return the sum of a residual and an identity, projected without BN where shapes differ."""
    if differs(x, residual, strides):
        with on_branch("shortcut"):
            x = units.style_conv(axes.channels(residual), 1, strides, "valid", style=style)(x)
    # The shortcut comes first: Keras orders model.layers, and so get_weights(), by it.
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
    """Return every second pixel of the feature maps: an identity with strides."""
    strided = units.max_pool(1, strides, padding="valid")
    return lambda x: x if tuple(strides) == (1, 1) else strided(x)


def differs(x: Tensor, residual: Tensor, strides: Strides) -> bool:
    """Return whether a block's input must be changed before it can be added to its residual."""
    return tuple(strides) != (1, 1) or axes.channels(x) != axes.channels(residual)
