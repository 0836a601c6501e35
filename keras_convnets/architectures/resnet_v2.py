"""The residual networks of 2016, with full pre-activation, and those of keras.applications.

He et al., "Identity Mappings in Deep Residual Networks" (2016, arXiv:1603.05027), appendix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import units
from keras_convnets.architectures.residual import (
    Block,
    bare_stem,
    ends_in_addition,
    find_block,
    imagenet_stem,
    residual_parts,
)
from keras_convnets.architectures.residual.pre_activation import (
    basic_block_v2,
    bottleneck_v2,
    bottleneck_v2_keras,
)
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import explaining
from keras_convnets.units import TORCH, Style, Unit, chain

PAPER = "He et al. 2016 (arXiv:1603.05027)"
KERAS = "keras.applications (arXiv:1603.05027)"
TIMM = "timm (arXiv:1603.05027)"

BLOCKS: dict[str, Block] = {"basic_block_v2": basic_block_v2, "bottleneck_v2": bottleneck_v2}


class ResnetV2Builder:
    """The residual networks of 2016: BN and ReLU before convolutions, nothing after the addition.

    The network consists of a 7x7/2 convolution, batch normalisation, ReLU and 3x3/2 max-pooling;
    four stages of pre-activation blocks, the first of which starts with its convolution; batch
    normalisation and ReLU, global average pooling and a dense softmax. Convolutions have no bias,
    padding is symmetric, and batch normalisation has epsilon 1e-5 and momentum 0.9. Projections
    take the pre-activated input. Bottlenecks have their stride in the 3x3 convolution, as in the
    authors' ImageNet model (their CIFAR code:
    [`bottleneck_v2_authors`][keras_convnets.bottleneck_v2_authors]).

    ``resnet_v2_50_timm``, ``_101_timm`` and ``_152_timm`` are timm's ``resnetv2_50``, ``_101`` and
    ``_152``. Their stem has no BN and ReLU: the first block begins with them, after the
    max-pooling, and projects the pre-activated input. They have the same parameters.

    ``resnet_v2_50_keras`` and the other ``_keras`` networks are the graphs of keras.applications'
    ResNet50V2 family: a stem without BN and ReLU, strides in the last block of a stage instead of
    the first block of the next, biases where no BN follows, epsilon 1.001e-5 and momentum 0.99. The
    classic [`ResnetBuilder`][keras_convnets.ResnetBuilder] is a third variant: biases everywhere,
    strides in the first convolution and projections of the raw input.
    """

    @staticmethod
    @explaining
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        block_fn: str | Block,
        repetitions: Sequence[int],
        style: Style = TORCH,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a pre-activation residual network built from a block of your choice.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            block_fn: ``"basic_block_v2"``, ``"bottleneck_v2"``, or a function
                ``block(filters, init_strides, is_first_block_of_first_layer)`` that returns a
                function of a tensor. The arguments are passed by keyword, the third only if the
                function accepts it. Batch normalisation and ReLU follow the last block, unless the
                block is declared to [end in an activation][keras_convnets.ends_in_activation].
            repetitions: the number of blocks of each stage, such as ``(3, 4, 6, 3)``.
            style: the style of convolutions and normalisations. It is also passed to a block
                function that accepts a ``style`` and does not have one yet.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, block, repetition or option.

        Examples:
            >>> from keras_convnets import ResnetV2Builder
            >>> ResnetV2Builder.build((3, 64, 64), 10, "bottleneck_v2", (1, 1)).output_shape
            (None, 10)
        """
        block = ends_in_addition(find_block(block_fn, BLOCKS))
        parts = residual_parts(imagenet_stem(style), block, repetitions, style=style)
        return assemble(input_shape, num_outputs, parts, "resnet_v2", **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v2_50(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-50 of 2016: 3, 4, 6, 3 pre-activation bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2, (3, 4, 6, 3), **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v2_101(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-101 of 2016: 3, 4, 23, 3 pre-activation bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2, (3, 4, 23, 3), **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v2_152(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-152 of 2016: 3, 8, 36, 3 pre-activation bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2, (3, 8, 36, 3), **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v2_200(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-200 of 2016: 3, 24, 36, 3 pre-activation bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2, (3, 24, 36, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_resnet_v2_50_timm(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's resnetv2_50: 3, 4, 6, 3 pre-activation bottlenecks."""
        return _timm(input_shape, num_outputs, (3, 4, 6, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_resnet_v2_101_timm(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's resnetv2_101: 3, 4, 23, 3 pre-activation bottlenecks."""
        return _timm(input_shape, num_outputs, (3, 4, 23, 3), **options)

    @staticmethod
    @published(TIMM)
    def build_resnet_v2_152_timm(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return timm's resnetv2_152: 3, 8, 36, 3 pre-activation bottlenecks."""
        return _timm(input_shape, num_outputs, (3, 8, 36, 3), **options)

    @staticmethod
    @published(KERAS)
    def build_resnet_v2_50_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet50V2 of keras.applications: 3, 4, 6, 3 bottlenecks."""
        return _keras(input_shape, num_outputs, (3, 4, 6, 3), **options)

    @staticmethod
    @published(KERAS)
    def build_resnet_v2_101_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet101V2 of keras.applications: 3, 4, 23, 3 bottlenecks."""
        return _keras(input_shape, num_outputs, (3, 4, 23, 3), **options)

    @staticmethod
    @published(KERAS)
    def build_resnet_v2_152_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet152V2 of keras.applications: 3, 8, 36, 3 bottlenecks."""
        return _keras(input_shape, num_outputs, (3, 8, 36, 3), **options)


_build = ResnetV2Builder.build  # a short alias, so that each call fits on one line


def _timm(
    input_shape: InputShape,
    num_outputs: Outputs,
    repetitions: Sequence[int],
    **options: Unpack[Options],
) -> keras.Model:
    """Return timm's graph, in which the first block begins with BN and ReLU like all others."""

    def block(filters: int, init_strides: Strides) -> Unit:
        return bottleneck_v2(filters, init_strides)

    parts = residual_parts(bare_stem(TORCH), block, repetitions)
    return assemble(input_shape, num_outputs, parts, "resnet_v2_timm", **options)


def _keras(
    input_shape: InputShape,
    num_outputs: Outputs,
    repetitions: Sequence[int],
    **options: Unpack[Options],
) -> keras.Model:
    """Return keras.applications' graph, in which the last block of a stage has the stride."""
    stem = chain(units.conv(64, 7, 2, "symmetric"), units.max_pool(3, 2, "symmetric"))
    block, style = bottleneck_v2_keras, units.KERAS
    parts = residual_parts(stem, block, repetitions, style=style, strides_last=True)
    return assemble(input_shape, num_outputs, parts, "resnet_v2_keras", **options)
