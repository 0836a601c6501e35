"""Full pre-activation residual blocks: BN and ReLU come before the convolutions.

He et al., "Identity Mappings in Deep Residual Networks" (2016, arXiv:1603.05027), figure 4(e) and
appendix. Where shapes differ, the shortcut takes the pre-activated input.
"""

from __future__ import annotations

from keras_convnets import axes, units
from keras_convnets.architectures.residual.ends import ends_in_addition
from keras_convnets.architectures.residual.shortcuts import (
    Strides,
    pre_activation_shortcut,
    subsample,
    with_shortcut,
)
from keras_convnets.naming import on_branch
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Tensor, Unit, chain


@ends_in_addition
@typed
def basic_block_v2(
    filters: int,
    init_strides: Strides = (1, 1),
    is_first_block_of_first_layer: bool = False,
    *,
    shortcut: str = "B",
    dropout: float = 0.0,
    style: Style = TORCH,
) -> Unit:
    """Return a pre-activation residual block of two 3x3 convolutions.

    Args:
        filters: the channels of both convolutions, and of the output.
        init_strides: the strides of the first convolution, and of the shortcut.
        is_first_block_of_first_layer: whether batch normalisation and ReLU directly precede the
            block, so that it starts with its convolution.
        shortcut: the shortcut where shapes differ: ``"A"`` for the identity padded with channels of
            zeros, ``"B"`` for a 1x1 convolution.
        dropout: the dropout rate before the second convolution (Zagoruyko and Komodakis 2016).
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import basic_block_v2
        >>> basic_block_v2(32, init_strides=(2, 2))(keras.Input((32, 32, 16))).shape
        (None, 16, 16, 32)
    """
    branch = chain(
        units.style_conv(filters, 3, init_strides, style=style),
        units.bn_relu(style),
        units.dropout(dropout),
        units.style_conv(filters, 3, style=style),
    )
    before = None if is_first_block_of_first_layer else units.bn_relu(style)
    return with_shortcut(branch, init_strides, pre_activation_shortcut(shortcut, style), before)


@ends_in_addition
@typed
def bottleneck_v2(
    filters: int,
    init_strides: Strides = (1, 1),
    is_first_block_of_first_layer: bool = False,
    *,
    shortcut: str = "B",
    style: Style = TORCH,
) -> Unit:
    """Return a pre-activation bottleneck block that strides in its 3x3 convolution.

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the 3x3 convolution, and of the shortcut.
        is_first_block_of_first_layer: whether batch normalisation and ReLU directly precede the
            block, so that it starts with its convolution.
        shortcut: ``"A"`` or ``"B"``, as in [`basic_block_v2`][keras_convnets.basic_block_v2].
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import bottleneck_v2
        >>> bottleneck_v2(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    branch = chain(
        units.style_conv(filters, 1, style=style),
        units.bn_relu_conv(filters, 3, init_strides, style=style),
        units.bn_relu_conv(4 * filters, 1, style=style),
    )
    before = None if is_first_block_of_first_layer else units.bn_relu(style)
    return with_shortcut(branch, init_strides, pre_activation_shortcut(shortcut, style), before)


@ends_in_addition
@typed
def bottleneck_v2_authors(
    filters: int,
    init_strides: Strides = (1, 1),
    is_first_block_of_first_layer: bool = False,
    *,
    style: Style = TORCH,
) -> Unit:
    """Return the pre-activation bottleneck of the authors' CIFAR code.

    It strides in its first 1x1 convolution, [`bottleneck_v2`][keras_convnets.bottleneck_v2] in the
    3x3 convolution.

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the first convolution, and of the shortcut.
        is_first_block_of_first_layer: whether batch normalisation and ReLU directly precede the
            block, so that it starts with its convolution.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import bottleneck_v2_authors
        >>> bottleneck_v2_authors(32, (2, 2))(keras.Input((32, 32, 64))).shape
        (None, 16, 16, 128)
    """
    branch = chain(
        units.style_conv(filters, 1, init_strides, style=style),
        units.bn_relu_conv(filters, 3, style=style),
        units.bn_relu_conv(4 * filters, 1, style=style),
    )
    before = None if is_first_block_of_first_layer else units.bn_relu(style)
    return with_shortcut(branch, init_strides, pre_activation_shortcut("B", style), before)


@ends_in_addition
@typed
def bottleneck_v2_keras(
    filters: int, init_strides: Strides = (1, 1), *, style: Style = TORCH
) -> Unit:
    """Return the pre-activation bottleneck of keras.applications' ResNet50V2.

    It differs from [`bottleneck_v2`][keras_convnets.bottleneck_v2] in three ways: the last
    convolution and the projection have biases; it always starts with BN and ReLU; and if only the
    size changes, the shortcut takes every second pixel of the input instead of projecting it.

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the 3x3 convolution, and of the shortcut.
        style: the style of the first two convolutions and of the normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import bottleneck_v2_keras
        >>> bottleneck_v2_keras(64, (2, 2))(keras.Input((56, 56, 256))).shape
        (None, 28, 28, 256)
    """

    def apply(x: Tensor) -> Tensor:
        active = units.bn_relu(style)(x)
        branch = chain(
            units.conv_bn_relu(filters, 1, style=style),
            units.conv_bn_relu(filters, 3, init_strides, style=style),
            units.conv(4 * filters, 1),
        )(active)
        with on_branch("shortcut"):
            if axes.channels(x) == 4 * filters:
                x = subsample(init_strides)(x)
            else:
                x = units.conv(4 * filters, 1, init_strides, "valid")(active)
        return units.add(x, branch)

    return apply
