"""Residual networks as first published, with post-activation blocks, and their v1.5 variant.

He et al., "Deep Residual Learning for Image Recognition" (2015, arXiv:1512.03385), table 1.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets.architectures.residual import (
    Block,
    caffe_stem,
    find_block,
    imagenet_stem,
    residual_parts,
)
from keras_convnets.architectures.residual.post_activation import (
    basic_block_v1,
    bottleneck_v1,
    bottleneck_v1_5,
)
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import explaining
from keras_convnets.units import TORCH, Style

PAPER = "He et al. 2015 (arXiv:1512.03385)"
CAFFE = "Caffe models by He et al. (arXiv:1512.03385)"
TORCHVISION = "torchvision (arXiv:1512.03385)"
KERAS = "keras.applications (arXiv:1512.03385)"
BIASED = Style(padding="symmetric", epsilon=1.001e-5)

BASIC_BLOCK_A = functools.partial(basic_block_v1, shortcut="A")
BASIC_BLOCK_C = functools.partial(basic_block_v1, shortcut="C")
BLOCKS: dict[str, Block] = {
    "basic_block_v1": basic_block_v1,
    "bottleneck_v1": bottleneck_v1,
    "bottleneck_v1_5": bottleneck_v1_5,
}


class ResnetV1Builder:
    """The residual networks of 2015, with a ReLU after each addition.

    The network consists of a 7x7/2 convolution, batch normalisation, ReLU and 3x3/2 max-pooling;
    four stages of blocks; global average pooling and a dense softmax. Convolutions have no bias,
    padding is symmetric, and batch normalisation has epsilon 1e-5 and momentum 0.9, as in
    torchvision.

    Sources differ in two places. ``resnet_v1_50``, ``_101`` and ``_152`` are the authors' Caffe
    models: a bottleneck strides in its first 1x1 convolution, as in the paper, and the max-pooling
    has no padding and rounds up. (Their ResNet-50 also has a bias in its first convolution;
    subtract it from the moving mean of ``conv1_bn``.) ``resnet_v1_5_50`` to ``_152`` are
    torchvision's: the 3x3 convolution strides, and the max-pooling is padded by 1. ``resnet_v1_18``
    and ``_34`` have no bottlenecks and are torchvision's too; the authors published no models of
    them.

    ``resnet_v1_50_keras`` is the graph of keras.applications: strides in the first 1x1 convolution,
    max-pooling padded by 1, biases in the convolutions, epsilon 1.001e-5 and momentum 0.99.
    ``resnet_v1_34_a`` and ``_c`` have the paper's other two shortcuts (its table 3). ``build`` pads
    the max-pooling by 1.
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
        """Return a residual network built from a block of your choice.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            block_fn: ``"basic_block_v1"``, ``"bottleneck_v1"``, ``"bottleneck_v1_5"``, or a
                function ``block(filters, init_strides, is_first_block_of_first_layer)`` that
                returns a function of a tensor, such as
                ``functools.partial(basic_block_v1, shortcut="A")``. The arguments are passed by
                keyword, the third only if the function accepts it. If the block is declared to
                [end in its addition][keras_convnets.ends_in_addition], batch normalisation and
                ReLU follow the last block.
            repetitions: the number of blocks of each stage, such as ``(3, 4, 6, 3)``.
            style: the style of convolutions and normalisations. It is also passed to a block
                function that accepts a ``style`` and does not have one yet.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, block, repetition or option.

        Examples:
            >>> from keras_convnets import ResnetV1Builder
            >>> ResnetV1Builder.build((3, 64, 64), 10, "basic_block_v1", (1, 1)).output_shape
            (None, 10)
        """
        block = find_block(block_fn, BLOCKS)
        parts = residual_parts(imagenet_stem(style), block, repetitions, style=style)
        return assemble(input_shape, num_outputs, parts, "resnet_v1", **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v1_18(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-18 of 2015: 2, 2, 2, 2 basic blocks."""
        return _build(input_shape, num_outputs, basic_block_v1, (2, 2, 2, 2), **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v1_34(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-34 of 2015: 3, 4, 6, 3 basic blocks."""
        return _build(input_shape, num_outputs, basic_block_v1, (3, 4, 6, 3), **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v1_34_a(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-34 with shortcuts without parameters, option A."""
        return _build(input_shape, num_outputs, BASIC_BLOCK_A, (3, 4, 6, 3), **options)

    @staticmethod
    @published(PAPER)
    def build_resnet_v1_34_c(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-34 with projections in all blocks, option C."""
        return _build(input_shape, num_outputs, BASIC_BLOCK_C, (3, 4, 6, 3), **options)

    @staticmethod
    @published(CAFFE)
    def build_resnet_v1_50(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-50 of 2015: 3, 4, 6, 3 bottlenecks, stride on the 1x1."""
        return _caffe(input_shape, num_outputs, (3, 4, 6, 3), **options)

    @staticmethod
    @published(CAFFE)
    def build_resnet_v1_101(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-101 of 2015: 3, 4, 23, 3 bottlenecks, stride on the 1x1."""
        return _caffe(input_shape, num_outputs, (3, 4, 23, 3), **options)

    @staticmethod
    @published(CAFFE)
    def build_resnet_v1_152(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-152 of 2015: 3, 8, 36, 3 bottlenecks, stride on the 1x1."""
        return _caffe(input_shape, num_outputs, (3, 8, 36, 3), **options)

    @staticmethod
    @published(TORCHVISION)
    def build_resnet_v1_5_50(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return torchvision's ResNet-50: 3, 4, 6, 3 bottlenecks, stride on the 3x3."""
        return _build(input_shape, num_outputs, bottleneck_v1_5, (3, 4, 6, 3), **options)

    @staticmethod
    @published(TORCHVISION)
    def build_resnet_v1_5_101(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return torchvision's ResNet-101: 3, 4, 23, 3 bottlenecks, stride on the 3x3."""
        return _build(input_shape, num_outputs, bottleneck_v1_5, (3, 4, 23, 3), **options)

    @staticmethod
    @published(TORCHVISION)
    def build_resnet_v1_5_152(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return torchvision's ResNet-152: 3, 8, 36, 3 bottlenecks, stride on the 3x3."""
        return _build(input_shape, num_outputs, bottleneck_v1_5, (3, 8, 36, 3), **options)

    @staticmethod
    @published(KERAS)
    def build_resnet_v1_50_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet50 of keras.applications: 3, 4, 6, 3 bottlenecks with biases."""
        return _build(input_shape, num_outputs, bottleneck_v1, (3, 4, 6, 3), BIASED, **options)

    @staticmethod
    @published(KERAS)
    def build_resnet_v1_101_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet101 of keras.applications: 3, 4, 23, 3 bottlenecks with biases."""
        return _build(input_shape, num_outputs, bottleneck_v1, (3, 4, 23, 3), BIASED, **options)

    @staticmethod
    @published(KERAS)
    def build_resnet_v1_152_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet152 of keras.applications: 3, 8, 36, 3 bottlenecks with biases."""
        return _build(input_shape, num_outputs, bottleneck_v1, (3, 8, 36, 3), BIASED, **options)


_build = ResnetV1Builder.build  # a short alias, so that each call fits on one line


def _caffe(
    input_shape: InputShape,
    num_outputs: Outputs,
    repetitions: Sequence[int],
    **options: Unpack[Options],
) -> keras.Model:
    """Return the authors' Caffe model, whose stem pools without padding."""
    parts = residual_parts(caffe_stem(TORCH), bottleneck_v1, repetitions)
    return assemble(input_shape, num_outputs, parts, "resnet_v1", **options)
