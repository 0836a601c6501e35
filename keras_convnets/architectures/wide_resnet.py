"""Wide residual networks: fewer layers with more filters.

Zagoruyko and Komodakis, "Wide Residual Networks" (2016, arXiv:1605.07146).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import checks
from keras_convnets.architectures.residual import cifar_stem, residual_parts
from keras_convnets.architectures.residual.post_activation import bottleneck_v1_5
from keras_convnets.architectures.residual.pre_activation import basic_block_v2
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.architectures.resnet_v1 import ResnetV1Builder
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Unit

PAPER = "Zagoruyko and Komodakis 2016 (arXiv:1605.07146)"
TORCHVISION = "torchvision (arXiv:1605.07146)"
CIFAR = (3, 32, 32)


@typed
def wide_bottleneck(
    filters: int, init_strides: Strides = (1, 1), *, width_factor: int = 2, style: Style = TORCH
) -> Unit:
    """Return a post-activation bottleneck whose inner convolutions are wider than ResNet-50's.

    Args:
        filters: a quarter of the number of output channels.
        init_strides: the strides of the 3x3 convolution, and of the shortcut.
        width_factor: the channels of the first two convolutions, as a multiple of ``filters``.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import wide_bottleneck
        >>> wide_bottleneck(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    return bottleneck_v1_5(filters, init_strides, width=width_factor * filters, style=style)


class WideResnetBuilder:
    """Wide residual networks for CIFAR, and torchvision's for ImageNet.

    ``wide_resnet_28_10`` has 28 layers with 10 times the filters of a CIFAR ResNet. It consists of
    a 3x3 convolution to 16 channels; three stages of pre-activation basic blocks; batch
    normalisation and ReLU, global average pooling and a dense softmax. Where shapes differ, a 1x1
    convolution projects the pre-activated input. Convolutions have no bias, padding is symmetric,
    and batch normalisation has epsilon 1e-5 and momentum 0.9, as in the authors' Torch code. The
    paper's number of layers, 6n + 4, includes the projections. (Only with ``width_factor=1`` does
    it differ from that code, whose first block then has no projection and an identity from before
    the first BN.) ``wide_resnet_40_4`` has the dropout of 0.3 that the paper uses for CIFAR; pass
    ``dropout=0`` to disable it.

    ``wide_resnet_50_2`` and ``_101_2`` are torchvision's: ``resnet_v1_5_50`` and ``_101`` with
    twice the filters inside their bottlenecks. (The paper's own ImageNet models widen ResNet-18, 34
    and 50.)
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        repetitions: Sequence[int],
        width_factor: int,
        dropout: float = 0.0,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a wide residual network for small images.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            repetitions: the number of blocks of each stage, such as ``(4, 4, 4)``.
            width_factor: the number of filters as a multiple of 16, 32 and 64: the paper's k.
            dropout: the dropout rate between the convolutions of a block, from 0 to less than 1.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, number or option.

        Examples:
            >>> from keras_convnets import WideResnetBuilder
            >>> model = WideResnetBuilder.build((3, 32, 32), 10, (1, 1, 1), width_factor=2)
            >>> model.get_layer("conv4_block1_add").output.shape
            (None, 8, 8, 128)
        """
        k = checks.positive_integer("width_factor", width_factor, "the paper's k, such as 10")
        block = functools.partial(basic_block_v2, dropout=checks.rate("dropout", dropout))
        parts = residual_parts(cifar_stem(TORCH), block, repetitions, filters=16 * k)
        return assemble(input_shape, num_outputs, parts, "wide_resnet", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_wide_resnet_16_8(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return WRN-16-8: three stages of 2 blocks, 8 times as wide."""
        return WideResnetBuilder.build(input_shape, num_outputs, (2, 2, 2), 8, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_wide_resnet_28_10(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return WRN-28-10: three stages of 4 blocks, 10 times as wide."""
        return WideResnetBuilder.build(input_shape, num_outputs, (4, 4, 4), 10, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_wide_resnet_40_4(
        input_shape: InputShape,
        num_outputs: Outputs,
        *,
        dropout: float = 0.3,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return WRN-40-4 with dropout: three stages of 6 blocks, 4 times as wide."""
        return WideResnetBuilder.build(input_shape, num_outputs, (6, 6, 6), 4, dropout, **options)

    @staticmethod
    @published(TORCHVISION)
    def build_wide_resnet_50_2(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return torchvision's WRN-50-2: ResNet-50 with twice the filters inside its blocks."""
        return _imagenet(input_shape, num_outputs, wide_bottleneck, (3, 4, 6, 3), **options)

    @staticmethod
    @published(TORCHVISION)
    def build_wide_resnet_101_2(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return torchvision's WRN-101-2: ResNet-101 with twice the filters inside its blocks."""
        return _imagenet(input_shape, num_outputs, wide_bottleneck, (3, 4, 23, 3), **options)


_imagenet = ResnetV1Builder.build  # a short alias, so that each call fits on one line
