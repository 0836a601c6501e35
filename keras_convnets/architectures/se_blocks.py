"""Squeeze-and-excitation, and the residual blocks that have it.

Hu et al., "Squeeze-and-Excitation Networks" (2017, arXiv:1709.01507).
"""

from __future__ import annotations

from keras_convnets import axes, checks, units
from keras_convnets.architectures.residual import ends_in_activation
from keras_convnets.architectures.residual.post_activation import (
    add_and_activate,
    bottleneck_branch,
)
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.architectures.resnext import resnext_branch
from keras_convnets.naming import on_branch
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Tensor, Unit, chain


@typed
def squeeze_and_excitation(reduction: int = 16) -> Unit:
    """Return a unit that scales each channel by a gate computed from the means of all channels.

    The gate is global average pooling, a dense layer that divides the number of channels by
    ``reduction``, ReLU, a dense layer that restores it, and a sigmoid. The dense layers are 1x1
    convolutions with biases.

    Args:
        reduction: the factor by which the number of channels is reduced.

    Examples:
        >>> import keras
        >>> from keras_convnets import squeeze_and_excitation
        >>> squeeze_and_excitation()(keras.Input((56, 56, 256))).shape
        (None, 56, 56, 256)
    """
    checks.positive_integer("reduction", reduction, "a divisor, such as 16")

    def apply(x: Tensor) -> Tensor:
        channels = axes.channels(x)
        with on_branch("se"):
            gate = chain(
                units.global_pool("avg", keepdims=True),
                units.conv(max(1, channels // reduction), 1),
                units.relu(),
                units.conv(channels, 1),
                units.activation("sigmoid"),
            )(x)
            return units.multiply(x, gate)

    return apply


@ends_in_activation
@typed
def se_bottleneck(
    filters: int, init_strides: Strides = (1, 1), *, reduction: int = 16, style: Style = TORCH
) -> Unit:
    """Return a post-activation bottleneck with squeeze-and-excitation on its residual branch.

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the first convolution, and of the projection.
        reduction: the factor by which squeeze-and-excitation reduces the number of channels.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import se_bottleneck
        >>> se_bottleneck(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    branch = chain(
        bottleneck_branch(filters, first_strides=init_strides, style=style),
        squeeze_and_excitation(reduction),
    )
    return add_and_activate(branch, init_strides, "B", style)


@ends_in_activation
@typed
def se_bottleneck_v1_5(
    filters: int, init_strides: Strides = (1, 1), *, reduction: int = 16, style: Style = TORCH
) -> Unit:
    """Return a [`se_bottleneck`][keras_convnets.se_bottleneck] that strides in its 3x3 convolution.

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the 3x3 convolution, and of the projection.
        reduction: the factor by which squeeze-and-excitation reduces the number of channels.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import se_bottleneck_v1_5
        >>> se_bottleneck_v1_5(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    branch = chain(
        bottleneck_branch(filters, second_strides=init_strides, style=style),
        squeeze_and_excitation(reduction),
    )
    return add_and_activate(branch, init_strides, "B", style)


@ends_in_activation
@typed
def se_resnext_block(
    filters: int,
    init_strides: Strides = (1, 1),
    *,
    cardinality: int = 32,
    group_width: int = 4,
    reduction: int = 16,
    style: Style = TORCH,
) -> Unit:
    """Return a [`resnext_block`][keras_convnets.resnext_block] with squeeze-and-excitation.

    Args:
        filters: a quarter of the number of output channels; 64 in the first stage.
        init_strides: the strides of the 3x3 convolution, and of the projection.
        cardinality: the number of groups.
        group_width: the channels of a group for 64 filters; they grow in proportion to ``filters``.
        reduction: the factor by which squeeze-and-excitation reduces the number of channels.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import se_resnext_block
        >>> se_resnext_block(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    branch = chain(
        resnext_branch(filters, init_strides, cardinality, group_width, style),
        squeeze_and_excitation(reduction),
    )
    return add_and_activate(branch, init_strides, "B", style)
