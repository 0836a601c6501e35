"""Post-activation residual blocks, as first published, with a ReLU after the addition.

He et al., "Deep Residual Learning for Image Recognition" (2015, arXiv:1512.03385), figure 5.
"""

from __future__ import annotations

from keras_convnets import units
from keras_convnets.architectures.residual.ends import ends_in_activation
from keras_convnets.architectures.residual.shortcuts import (
    Strides,
    post_activation_shortcut,
    with_shortcut,
)
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Unit, chain


@ends_in_activation
@typed
def basic_block_v1(
    filters: int, init_strides: Strides = (1, 1), *, shortcut: str = "B", style: Style = TORCH
) -> Unit:
    """Return a post-activation residual block of two 3x3 convolutions.

    Convolution, BN, ReLU, convolution, BN, addition of the shortcut, ReLU (He et al. 2015,
    figure 5, left).

    Args:
        filters: the channels of both convolutions, and of the output.
        init_strides: the strides of the first convolution, and of the shortcut.
        shortcut: the shortcut where shapes differ: ``"A"`` for the identity padded with channels of
            zeros, ``"B"`` for a projection. ``"C"`` projects in every block.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import basic_block_v1
        >>> basic_block_v1(128, init_strides=(2, 2))(keras.Input((56, 56, 64))).shape
        (None, 28, 28, 128)
    """
    branch = chain(
        units.conv_bn_relu(filters, 3, init_strides, style=style),
        units.conv_bn(filters, 3, style=style),
    )
    return add_and_activate(branch, init_strides, shortcut, style)


@ends_in_activation
@typed
def bottleneck_v1(
    filters: int, init_strides: Strides = (1, 1), *, shortcut: str = "B", style: Style = TORCH
) -> Unit:
    """Return a post-activation bottleneck block that strides in its first 1x1 convolution.

    This is the version of the paper and of Caffe (He et al. 2015, figure 5, right).

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the first convolution, and of the shortcut.
        shortcut: ``"A"``, ``"B"`` or ``"C"``, as in
            [`basic_block_v1`][keras_convnets.basic_block_v1].
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import bottleneck_v1
        >>> bottleneck_v1(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    branch = bottleneck_branch(filters, first_strides=init_strides, style=style)
    return add_and_activate(branch, init_strides, shortcut, style)


@ends_in_activation
@typed
def bottleneck_v1_5(
    filters: int,
    init_strides: Strides = (1, 1),
    *,
    width: int | None = None,
    shortcut: str = "B",
    style: Style = TORCH,
) -> Unit:
    """Return a post-activation bottleneck block that strides in its 3x3 convolution ("v1.5").

    This is the version of torchvision and NVIDIA: with the stride in a 1x1 convolution, three
    quarters of its input would be ignored.

    Args:
        filters: a quarter of the number of output channels.
        init_strides: the strides of the 3x3 convolution, and of the shortcut.
        width: the channels of the first two convolutions; by default ``filters``.
        shortcut: ``"A"``, ``"B"`` or ``"C"``, as in
            [`basic_block_v1`][keras_convnets.basic_block_v1].
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import bottleneck_v1_5
        >>> bottleneck_v1_5(128, init_strides=(2, 2))(keras.Input((56, 56, 256))).shape
        (None, 28, 28, 512)
    """
    branch = bottleneck_branch(filters, second_strides=init_strides, width=width, style=style)
    return add_and_activate(branch, init_strides, shortcut, style)


def bottleneck_branch(
    filters: int,
    first_strides: Strides = (1, 1),
    second_strides: Strides = (1, 1),
    width: int | None = None,
    groups: int = 1,
    style: Style = TORCH,
) -> Unit:
    """Return the residual branch of a bottleneck: 1x1, 3x3 and 1x1 convolutions with BN."""
    width = filters if width is None else width
    return chain(
        units.conv_bn_relu(width, 1, first_strides, style=style),
        units.conv_bn_relu(width, 3, second_strides, groups=groups, style=style),
        units.conv_bn(4 * filters, 1, style=style),
    )


def add_and_activate(branch: Unit, strides: Strides, shortcut: str, style: Style) -> Unit:
    """Return a residual branch with its shortcut, followed by the addition and a ReLU."""
    added = with_shortcut(branch, strides, post_activation_shortcut(shortcut, style))
    return chain(added, units.relu())
