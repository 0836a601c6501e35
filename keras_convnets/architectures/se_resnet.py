"""Residual networks with squeeze-and-excitation.

Hu et al., "Squeeze-and-Excitation Networks" (2017, arXiv:1709.01507).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import axes, checks, units
from keras_convnets.architectures.residual import (
    caffe_stem,
    ends_in_activation,
    residual_parts,
)
from keras_convnets.architectures.residual.post_activation import (
    add_and_activate,
    bottleneck_branch,
)
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.assemble import assemble
from keras_convnets.naming import on_branch
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Tensor, Unit, chain

CAFFE = "Caffe models by Hu et al. (arXiv:1709.01507)"


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


class SeResnetBuilder:
    """SE-ResNet: the bottleneck networks of 2015 with a learnt gate for each channel.

    As in the authors' Caffe models, the stem's max-pooling has no padding and rounds up, the first
    1x1 convolution of a bottleneck has the stride, and the dense layers of the gate have biases;
    the rest is [`resnet_v1_50`][keras_convnets.ResnetV1Builder] to ``_152``. timm's
    ``legacy_seresnet50`` to ``152`` are the same. Its ``seresnet50`` and other ports pad the
    max-pooling and stride in the 3x3 convolution, and some omit the biases.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        repetitions: Sequence[int],
        reduction: int = 16,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return an SE-ResNet.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            repetitions: the number of bottlenecks of each stage, such as ``(3, 4, 6, 3)``.
            reduction: the factor by which the gates reduce the number of channels.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, number or option.

        Examples:
            >>> from keras_convnets import SeResnetBuilder
            >>> SeResnetBuilder.build((3, 64, 64), 10, (1, 1)).output_shape
            (None, 10)
        """
        block = functools.partial(se_bottleneck, reduction=reduction)
        parts = residual_parts(caffe_stem(TORCH), block, repetitions)
        return assemble(input_shape, num_outputs, parts, "se_resnet", **options)

    @staticmethod
    @published(CAFFE)
    def build_se_resnet_50(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return SE-ResNet-50: 3, 4, 6, 3 bottlenecks with gates."""
        return SeResnetBuilder.build(input_shape, num_outputs, (3, 4, 6, 3), **options)

    @staticmethod
    @published(CAFFE)
    def build_se_resnet_101(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return SE-ResNet-101: 3, 4, 23, 3 bottlenecks with gates."""
        return SeResnetBuilder.build(input_shape, num_outputs, (3, 4, 23, 3), **options)

    @staticmethod
    @published(CAFFE)
    def build_se_resnet_152(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return SE-ResNet-152: 3, 8, 36, 3 bottlenecks with gates."""
        return SeResnetBuilder.build(input_shape, num_outputs, (3, 8, 36, 3), **options)
