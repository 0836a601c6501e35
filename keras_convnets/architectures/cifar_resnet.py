"""Residual networks for images of 32 x 32 pixels.

He et al. 2015 (arXiv:1512.03385), section 4.2, and He et al. 2016 (arXiv:1603.05027), table 3.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets.architectures.residual import (
    Block,
    cifar_stem,
    find_block,
    residual_parts,
)
from keras_convnets.architectures.residual.post_activation import basic_block_v1
from keras_convnets.architectures.residual.pre_activation import (
    basic_block_v2,
    bottleneck_v2,
    bottleneck_v2_authors,
)
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.units import TORCH

PAPER = "He et al. 2015 (arXiv:1512.03385)"
SECOND_PAPER = "He et al. 2016 (arXiv:1603.05027)"
AUTHORS = "resnet-1k-layers by He et al. (arXiv:1603.05027)"
CIFAR = (3, 32, 32)

# Shortcuts without parameters (option A), as the paper uses for CIFAR.
BASIC_BLOCK = functools.partial(basic_block_v1, shortcut="A")
PREACT_BLOCK = functools.partial(basic_block_v2, shortcut="A")
BLOCKS: dict[str, Block] = {
    "basic_block_v1": BASIC_BLOCK,
    "basic_block_v2": PREACT_BLOCK,
    "bottleneck_v2": bottleneck_v2,
    "bottleneck_v2_authors": bottleneck_v2_authors,
}


class CifarResnetBuilder:
    """Residual networks for CIFAR: three stages of 16, 32 and 64 filters at 32, 16 and 8 pixels.

    The network consists of a 3x3 convolution to 16 channels, batch normalisation and ReLU; three
    stages of n blocks, the last two starting with stride 2; global average pooling and a dense
    softmax. With basic blocks it has 6n + 2 layers, with bottlenecks 9n + 2. Convolutions have no
    bias, padding is symmetric, and batch normalisation has epsilon 1e-5 and momentum 0.9.

    Basic blocks have shortcuts without parameters (option A): every second pixel, and channels of
    zeros after those of the input, as in fb.resnet.torch. (Ports with zeros on both sides compute
    the same with their channels permuted.) Many implementations project in the basic blocks and
    thus have more than the paper's 0.27 million parameters at 20 layers.

    ``cifar_preact_resnet_164`` and ``_1001`` have bottlenecks. Where shapes differ, their shortcut
    is a 1x1 convolution without normalisation. They stride in the 3x3 convolution, as most ports
    do; ``cifar_preact_resnet_164_authors`` and ``_1001_authors`` stride in the first 1x1
    convolution, as the authors' code does, with the same parameters and fewer multiply-adds.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        block_fn: str | Block,
        repetitions: Sequence[int],
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a residual network for small images, built from a block of your choice.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            block_fn: ``"basic_block_v1"`` or ``"basic_block_v2"``, with shortcuts of option A,
                ``"bottleneck_v2"``, ``"bottleneck_v2_authors"``, or a function ``block(filters,
                init_strides, is_first_block_of_first_layer)`` that returns a function of a tensor.
                The arguments are passed by keyword, the third only if the function accepts it. If
                the block is declared to [end in its addition][keras_convnets.ends_in_addition],
                batch normalisation and ReLU follow the last block.
            repetitions: the number of blocks of each stage, such as ``(9, 9, 9)``.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, block, repetition or option.

        Examples:
            >>> from keras_convnets import CifarResnetBuilder
            >>> model = CifarResnetBuilder.build((3, 32, 32), 10, "basic_block_v1", (1, 1, 1))
            >>> model.get_layer("conv4_block1_relu2").output.shape
            (None, 8, 8, 64)
        """
        block = find_block(block_fn, BLOCKS)
        parts = residual_parts(cifar_stem(TORCH), block, repetitions, filters=16)
        return assemble(input_shape, num_outputs, parts, "cifar_resnet", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_20(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-20: three stages of 3 basic blocks."""
        return _build(input_shape, num_outputs, BASIC_BLOCK, (3, 3, 3), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_32(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-32: three stages of 5 basic blocks."""
        return _build(input_shape, num_outputs, BASIC_BLOCK, (5, 5, 5), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_44(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-44: three stages of 7 basic blocks."""
        return _build(input_shape, num_outputs, BASIC_BLOCK, (7, 7, 7), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_56(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-56: three stages of 9 basic blocks."""
        return _build(input_shape, num_outputs, BASIC_BLOCK, (9, 9, 9), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_110(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-110: three stages of 18 basic blocks."""
        return _build(input_shape, num_outputs, BASIC_BLOCK, (18, 18, 18), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_1202(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-1202: three stages of 200 basic blocks."""
        return _build(input_shape, num_outputs, BASIC_BLOCK, (200, 200, 200), **options)

    @staticmethod
    @published(SECOND_PAPER, CIFAR, 10)
    def build_cifar_preact_resnet_110(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return pre-activation ResNet-110: three stages of 18 basic blocks."""
        return _build(input_shape, num_outputs, PREACT_BLOCK, (18, 18, 18), **options)

    @staticmethod
    @published(SECOND_PAPER, CIFAR, 10)
    def build_cifar_preact_resnet_164(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return pre-activation ResNet-164: three stages of 18 bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2, (18, 18, 18), **options)

    @staticmethod
    @published(SECOND_PAPER, CIFAR, 10)
    def build_cifar_preact_resnet_1001(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return pre-activation ResNet-1001: three stages of 111 bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2, (111, 111, 111), **options)

    @staticmethod
    @published(AUTHORS, CIFAR, 10)
    def build_cifar_preact_resnet_164_authors(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the authors' pre-activation ResNet-164: three stages of 18 bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2_authors, (18, 18, 18), **options)

    @staticmethod
    @published(AUTHORS, CIFAR, 10)
    def build_cifar_preact_resnet_1001_authors(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the authors' pre-activation ResNet-1001: three stages of 111 bottlenecks."""
        return _build(input_shape, num_outputs, bottleneck_v2_authors, (111, 111, 111), **options)


_build = CifarResnetBuilder.build  # a short alias, so that each call fits on one line
