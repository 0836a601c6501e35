"""Residual networks with squeeze-and-excitation.

Hu et al., "Squeeze-and-Excitation Networks" (2017, arXiv:1709.01507).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets.architectures.residual import caffe_stem, residual_parts
from keras_convnets.architectures.resnet_v1 import ResnetV1Builder
from keras_convnets.architectures.se_blocks import (
    se_bottleneck,
    se_bottleneck_v1_5,
    se_resnext_block,
)
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.units import TORCH

CAFFE = "Caffe models by Hu et al. (arXiv:1709.01507)"
TIMM = "timm (arXiv:1709.01507)"


class SeResnetBuilder:
    """SE-ResNet and SE-ResNeXt: bottleneck networks with a learnt gate for each channel.

    ``se_resnet_50`` to ``_152`` are the authors' Caffe models: the stem's max-pooling has no
    padding and rounds up, the first 1x1 convolution of a bottleneck has the stride, and the dense
    layers of the gate have biases; the rest is [`resnet_v1_50`][keras_convnets.ResnetV1Builder] to
    ``_152``. timm's ``legacy_seresnet50`` to ``152`` are the same.

    ``se_resnet_v1_5_50`` to ``_152`` are timm's ``seresnet50`` to ``152``: the max-pooling is
    padded and the 3x3 convolution has the stride, as in ``resnet_v1_5_50``.
    ``se_resnext_50_32x4d`` and ``_101_32x4d`` are timm's ``seresnext50_32x4d`` and
    ``seresnext101_32x4d``: [ResNeXts][keras_convnets.ResnextBuilder] with gates. For others of this
    kind, pass
    [`se_bottleneck_v1_5`][keras_convnets.se_bottleneck_v1_5] or
    [`se_resnext_block`][keras_convnets.se_resnext_block] to ``ResnetV1Builder.build``.
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

    @staticmethod
    @published(TIMM)
    def build_se_resnet_v1_5_50(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's SE-ResNet-50: 3, 4, 6, 3 bottlenecks, stride on the 3x3."""
        return _v1_5(input_shape, num_outputs, se_bottleneck_v1_5, (3, 4, 6, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_se_resnet_v1_5_101(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's SE-ResNet-101: 3, 4, 23, 3 bottlenecks, stride on the 3x3."""
        return _v1_5(input_shape, num_outputs, se_bottleneck_v1_5, (3, 4, 23, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_se_resnet_v1_5_152(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's SE-ResNet-152: 3, 8, 36, 3 bottlenecks, stride on the 3x3."""
        return _v1_5(input_shape, num_outputs, se_bottleneck_v1_5, (3, 8, 36, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_se_resnext_50_32x4d(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's SE-ResNeXt-50 (32x4d): 3, 4, 6, 3 blocks of 32 groups."""
        return _v1_5(input_shape, num_outputs, se_resnext_block, (3, 4, 6, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_se_resnext_101_32x4d(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's SE-ResNeXt-101 (32x4d): 3, 4, 23, 3 blocks of 32 groups."""
        return _v1_5(input_shape, num_outputs, se_resnext_block, (3, 4, 23, 3), **options)


_v1_5 = ResnetV1Builder.build  # a short alias, so that each call fits on one line
