"""Plain networks: the counterparts of residual networks without shortcuts.

He et al., "Deep Residual Learning for Image Recognition" (2015, arXiv:1512.03385), figure 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import units
from keras_convnets.architectures.cifar_resnet import CifarResnetBuilder
from keras_convnets.architectures.residual import (
    ends_in_activation,
    imagenet_stem,
    residual_parts,
)
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Unit, chain

PAPER = "He et al. 2015 (arXiv:1512.03385)"
CIFAR = (3, 32, 32)


@ends_in_activation
@typed
def plain_block(filters: int, init_strides: Strides = (1, 1), *, style: Style = TORCH) -> Unit:
    """Return two 3x3 convolutions, each with BN and ReLU: a basic block without the shortcut.

    Args:
        filters: the channels of both convolutions.
        init_strides: the strides of the first convolution.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import plain_block
        >>> plain_block(32, init_strides=(2, 2))(keras.Input((32, 32, 16))).shape
        (None, 16, 16, 32)
    """
    return chain(
        units.conv_bn_relu(filters, 3, init_strides, style=style),
        units.conv_bn_relu(filters, 3, style=style),
    )


class PlainBuilder:
    """Networks of 3x3 convolutions with the depths and widths of residual networks.

    ``plain_34`` is [`resnet_v1_34`][keras_convnets.ResnetV1Builder] without the shortcuts, and
    ``cifar_plain_56`` is [`cifar_resnet_56`][keras_convnets.CifarResnetBuilder] without them. The
    stems, heads and styles are the same. The paper describes these networks; no code of them was
    published. What it leaves open, such as how the max-pooling is padded (by 1), is torchvision's.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        repetitions: Sequence[int],
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a plain network for large images.

        For small images, pass [`plain_block`][keras_convnets.plain_block] to
        [`CifarResnetBuilder.build`][keras_convnets.CifarResnetBuilder.build].

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            repetitions: the number of pairs of convolutions in each stage, such as
                ``(3, 4, 6, 3)``.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, repetition or option.

        Examples:
            >>> from keras_convnets import PlainBuilder
            >>> PlainBuilder.build((3, 64, 64), 10, (1, 1)).output_shape
            (None, 10)
        """
        parts = residual_parts(imagenet_stem(TORCH), plain_block, repetitions)
        return assemble(input_shape, num_outputs, parts, "plain", **options)

    @staticmethod
    @published(PAPER)
    def build_plain_18(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 18 layers: 2, 2, 2, 2 pairs of convolutions."""
        return PlainBuilder.build(input_shape, num_outputs, (2, 2, 2, 2), **options)

    @staticmethod
    @published(PAPER)
    def build_plain_34(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 34 layers: 3, 4, 6, 3 pairs of convolutions."""
        return PlainBuilder.build(input_shape, num_outputs, (3, 4, 6, 3), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_plain_20(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 20 layers for CIFAR: three stages of 3 pairs."""
        return _cifar(input_shape, num_outputs, plain_block, (3, 3, 3), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_plain_32(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 32 layers for CIFAR: three stages of 5 pairs."""
        return _cifar(input_shape, num_outputs, plain_block, (5, 5, 5), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_plain_44(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 44 layers for CIFAR: three stages of 7 pairs."""
        return _cifar(input_shape, num_outputs, plain_block, (7, 7, 7), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_plain_56(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 56 layers for CIFAR: three stages of 9 pairs."""
        return _cifar(input_shape, num_outputs, plain_block, (9, 9, 9), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_plain_110(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the plain network of 110 layers for CIFAR: three stages of 18 pairs."""
        return _cifar(input_shape, num_outputs, plain_block, (18, 18, 18), **options)


_cifar = CifarResnetBuilder.build  # a short alias, so that each call fits on one line
