"""The classic Keras ``ResnetBuilder``: pre-activation residual networks of 18 to 152 layers.

The depths and widths are those of He et al., "Deep Residual Learning for Image Recognition"
(2015, arXiv:1512.03385), table 1. The order of layers in a block is that of He et al., "Identity
Mappings in Deep Residual Networks" (2016, arXiv:1603.05027). Unlike in both papers, convolutions
have biases and shortcuts project the block's raw input, as in the Keras 2 builder that this one
reproduces weight for weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import units
from keras_convnets.architectures.residual import (
    Block,
    ends_in_addition,
    find_block,
    imagenet_stem,
    residual_parts,
)
from keras_convnets.architectures.residual.shortcuts import Strides, bare_shortcut, with_shortcut
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import typed
from keras_convnets.units import CLASSIC, Tensor, Unit, chain

SOURCE = "Keras 2 ResnetBuilder (arXiv:1603.05027)"
L2_PENALTY = 1e-4


@ends_in_addition
@typed
def basic_block(
    filters: int, init_strides: Strides = (1, 1), is_first_block_of_first_layer: bool = False
) -> Unit:
    """Return a residual block of two 3x3 convolutions, for networks of up to 34 layers.

    Args:
        filters: the channels of both convolutions, and of the output.
        init_strides: the strides of the first convolution, and of the projection.
        is_first_block_of_first_layer: whether batch normalisation and ReLU directly precede the
            block, so that it starts with its convolution.

    Examples:
        >>> import keras
        >>> from keras_convnets import basic_block
        >>> basic_block(128, init_strides=(2, 2))(keras.Input((56, 56, 64))).shape
        (None, 28, 28, 128)
    """
    first = units.style_conv if is_first_block_of_first_layer else units.bn_relu_conv
    branch = chain(first(filters, 3, init_strides), units.bn_relu_conv(filters, 3))
    return with_shortcut(branch, init_strides, shortcut)


@ends_in_addition
@typed
def bottleneck(
    filters: int, init_strides: Strides = (1, 1), is_first_block_of_first_layer: bool = False
) -> Unit:
    """Return a residual block of 1x1, 3x3 and 1x1 convolutions, for 50 layers and more.

    Args:
        filters: the channels of the first two convolutions; the output has four times as many.
        init_strides: the strides of the first convolution, and of the projection.
        is_first_block_of_first_layer: whether batch normalisation and ReLU directly precede the
            block, so that it starts with its convolution.

    Examples:
        >>> import keras
        >>> from keras_convnets import bottleneck
        >>> bottleneck(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    first = units.style_conv if is_first_block_of_first_layer else units.bn_relu_conv
    branch = chain(
        first(filters, 1, init_strides),
        units.bn_relu_conv(filters, 3),
        units.bn_relu_conv(4 * filters, 1),
    )
    return with_shortcut(branch, init_strides, shortcut)


@typed
def shortcut(x: Tensor, branch: Tensor, strides: Strides = (1, 1)) -> Tensor:
    """Return the sum of a block's input and its residual branch.

    If the shapes differ, because the branch has strides or another number of channels, a 1x1
    convolution projects the input.

    Args:
        x: the block's input.
        branch: the output of its residual branch.
        strides: the total strides of the residual branch.
    """
    return bare_shortcut(x, branch, strides, CLASSIC)


BLOCKS: dict[str, Block] = {"basic_block": basic_block, "bottleneck": bottleneck}


class ResnetBuilder:
    """The classic residual networks, built as the Keras 2 ``ResnetBuilder`` built them.

    The network consists of a 7x7/2 convolution, batch normalisation, ReLU and 3x3/2 max-pooling;
    stages of pre-activation blocks, with 64 filters in the first stage and twice as many in each
    later one, which starts with stride 2; batch normalisation and ReLU, global average pooling, and
    a dense softmax. Padding is "same" (unlike PyTorch's, asymmetric for a stride over an even
    size), convolutions have biases, and batch normalisation has Keras' defaults. Kernels of
    convolutions have an L2 penalty of 1e-4, unless ``l2_penalty`` says otherwise.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        block_fn: str | Block,
        repetitions: Sequence[int],
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a residual network built from a block of your choice.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``; otherwise they must be large enough for the strides, which halve
                them twice before the first stage and once in each later stage.
            num_outputs: the number of outputs, at least 1.
            block_fn: ``"basic_block"``, ``"bottleneck"``, or a function
                ``block(filters, init_strides, is_first_block_of_first_layer)`` that returns a
                function of a tensor. The arguments are passed by keyword, the third only if the
                function accepts it. Batch normalisation and ReLU follow the last block, as in the
                Keras 2 builder, unless the block is declared to
                [end in an activation][keras_convnets.ends_in_activation].
            repetitions: the number of blocks of each stage, such as ``(3, 4, 6, 3)``.
            **options: see [`Options`][keras_convnets.Options].

        Returns:
            A functional model. Its input has the shape ``(batch, channels, rows, cols)`` or
            ``(batch, rows, cols, channels)``, depending on the data format. Its output has the
            shape ``(batch, num_outputs)``. Without the top, it returns the feature maps of the last
            block, or a vector of their channels if ``pooling`` is given.

        Raises:
            ValueError: for an invalid shape, block, repetition or option.

        Examples:
            >>> from keras_convnets import ResnetBuilder
            >>> model = ResnetBuilder.build((1, 64, 64), 10, "basic_block", (1, 1))
            >>> model.output_shape
            (None, 10)
        """
        block = ends_in_addition(find_block(block_fn, BLOCKS))
        parts = residual_parts(imagenet_stem(CLASSIC), block, repetitions, style=CLASSIC)
        return assemble(
            input_shape, num_outputs, parts, "resnet", source_penalty=L2_PENALTY, **options
        )

    @staticmethod
    @published(SOURCE)
    def build_resnet_18(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-18: 2, 2, 2, 2 basic blocks."""
        return ResnetBuilder.build(input_shape, num_outputs, basic_block, (2, 2, 2, 2), **options)

    @staticmethod
    @published(SOURCE)
    def build_resnet_34(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-34: 3, 4, 6, 3 basic blocks."""
        return ResnetBuilder.build(input_shape, num_outputs, basic_block, (3, 4, 6, 3), **options)

    @staticmethod
    @published(SOURCE)
    def build_resnet_50(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-50: 3, 4, 6, 3 bottleneck blocks."""
        return ResnetBuilder.build(input_shape, num_outputs, bottleneck, (3, 4, 6, 3), **options)

    @staticmethod
    @published(SOURCE)
    def build_resnet_101(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-101: 3, 4, 23, 3 bottleneck blocks."""
        return ResnetBuilder.build(input_shape, num_outputs, bottleneck, (3, 4, 23, 3), **options)

    @staticmethod
    @published(SOURCE)
    def build_resnet_152(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-152: 3, 8, 36, 3 bottleneck blocks."""
        return ResnetBuilder.build(input_shape, num_outputs, bottleneck, (3, 8, 36, 3), **options)
