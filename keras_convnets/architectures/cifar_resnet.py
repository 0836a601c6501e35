"""Residual networks for images of 32 x 32 pixels.

He et al. 2015 (arXiv:1512.03385), section 4.2, and He et al. 2016 (arXiv:1603.05027), table 3.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import checks, units
from keras_convnets.architectures.residual import grammar as residual
from keras_convnets.architectures.residual.grammar import Block
from keras_convnets.architectures.residual.post_activation import basic_block_v1
from keras_convnets.architectures.residual.pre_activation import basic_block_v2, bottleneck_v2
from keras_convnets.assemble import assemble
from keras_convnets.options import Options
from keras_convnets.registry import published
from keras_convnets.units import TORCH

PAPER = "He et al. 2015 (arXiv:1512.03385)"
SECOND_PAPER = "He et al. 2016 (arXiv:1603.05027)"
CIFAR = (3, 32, 32)

# Shortcuts without parameters: option A, the paper's choice for CIFAR.
BASIC_BLOCK = functools.partial(basic_block_v1, shortcut="A")
PREACT_BLOCK = functools.partial(basic_block_v2, shortcut="A")
BLOCKS: dict[str, Block] = {
    "basic_block_v1": BASIC_BLOCK,
    "basic_block_v2": PREACT_BLOCK,
    "bottleneck_v2": bottleneck_v2,
}


class CifarResnetBuilder:
    """Residual networks for CIFAR: three stages of 16, 32 and 64 filters at 32, 16 and 8 pixels.

    A 3x3 convolution of 16 maps, batch normalisation and ReLU; three stages of n blocks, the last
    two beginning with stride 2; global average pooling, a dense softmax. Basic blocks make 6n + 2
    layers, bottlenecks 9n + 2. Convolutions have no bias, padding is symmetric, batch normalisation
    has epsilon 1e-5 and momentum 0.9.

    Basic blocks have shortcuts of option A, without parameters; ``cifar_preact_resnet_164`` and
    ``_1001`` have bottlenecks, whose shortcuts project by a bare 1x1 convolution where shapes
    differ, and which stride in the 3x3 convolution (the authors' CIFAR code strides in the first
    1x1: the same parameters, fewer multiply-adds). Many implementations project in the basic
    blocks too, and so have more parameters than the paper's 0.27 million at 20 layers.
    """

    @staticmethod
    def build(
        input_shape: Sequence[int | None],
        num_outputs: int | None,
        block_fn: str | Block,
        repetitions: Sequence[int],
        pre_activation: bool = False,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a residual network for small images, of blocks of your choice.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            block_fn: ``"basic_block_v1"`` or ``"basic_block_v2"``, with shortcuts of option A,
                ``"bottleneck_v2"``, or a function ``block(filters, init_strides,
                is_first_block_of_first_layer)`` that returns a function of a tensor. It is called
                with these names.
            repetitions: the number of blocks of each stage, such as ``(9, 9, 9)``.
            pre_activation: whether the blocks end in their addition, so that batch normalisation
                and ReLU must follow the last of them.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for a shape, block, repetition or option that no network can be built from.

        Examples:
            >>> from keras_convnets import CifarResnetBuilder
            >>> model = CifarResnetBuilder.build((3, 32, 32), 10, "basic_block_v1", (1, 1, 1))
            >>> model.get_layer("conv4_block1_relu2").output.shape
            (None, 8, 8, 64)
        """
        block = residual.find_block(block_fn, BLOCKS)
        checks.choice("pre_activation", pre_activation, (True, False))
        final = [("final", units.bn_relu(TORCH))] if pre_activation else []
        parts = itertools.chain(residual.cifar_parts(block, repetitions), final)
        return assemble(input_shape, num_outputs, parts, "cifar_resnet", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_20(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-20: three stages of 3 basic blocks."""
        return CifarResnetBuilder.build(input_shape, num_outputs, BASIC_BLOCK, (3, 3, 3), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_32(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-32: three stages of 5 basic blocks."""
        return CifarResnetBuilder.build(input_shape, num_outputs, BASIC_BLOCK, (5, 5, 5), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_44(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-44: three stages of 7 basic blocks."""
        return CifarResnetBuilder.build(input_shape, num_outputs, BASIC_BLOCK, (7, 7, 7), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_56(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-56: three stages of 9 basic blocks."""
        return CifarResnetBuilder.build(input_shape, num_outputs, BASIC_BLOCK, (9, 9, 9), **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_110(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-110: three stages of 18 basic blocks."""
        return CifarResnetBuilder.build(
            input_shape, num_outputs, BASIC_BLOCK, (18, 18, 18), **options
        )

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_resnet_1202(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-1202: three stages of 200 basic blocks."""
        return CifarResnetBuilder.build(
            input_shape, num_outputs, BASIC_BLOCK, (200, 200, 200), **options
        )

    @staticmethod
    @published(SECOND_PAPER, CIFAR, 10)
    def build_cifar_preact_resnet_110(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return pre-activation ResNet-110: three stages of 18 basic blocks."""
        return CifarResnetBuilder.build(
            input_shape, num_outputs, PREACT_BLOCK, (18, 18, 18), pre_activation=True, **options
        )

    @staticmethod
    @published(SECOND_PAPER, CIFAR, 10)
    def build_cifar_preact_resnet_164(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return pre-activation ResNet-164: three stages of 18 bottlenecks."""
        return CifarResnetBuilder.build(
            input_shape, num_outputs, bottleneck_v2, (18, 18, 18), pre_activation=True, **options
        )

    @staticmethod
    @published(SECOND_PAPER, CIFAR, 10)
    def build_cifar_preact_resnet_1001(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return pre-activation ResNet-1001: three stages of 111 bottlenecks."""
        return CifarResnetBuilder.build(
            input_shape, num_outputs, bottleneck_v2, (111, 111, 111), pre_activation=True, **options
        )
