"""ResNeXt: bottlenecks with many parallel paths, implemented as grouped convolutions.

Xie et al., "Aggregated Residual Transformations for Deep Neural Networks" (2016,
arXiv:1611.05431).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import checks
from keras_convnets.architectures.residual import (
    ends_in_activation,
    imagenet_stem,
    residual_parts,
)
from keras_convnets.architectures.residual.post_activation import (
    add_and_activate,
    bottleneck_branch,
)
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Style, Unit

PAPER = "Xie et al. 2016 (arXiv:1611.05431)"
TORCHVISION = "torchvision (arXiv:1611.05431)"
TIMM = "timm (arXiv:1611.05431)"


@ends_in_activation
@typed
def resnext_block(
    filters: int,
    init_strides: Strides = (1, 1),
    *,
    cardinality: int = 32,
    group_width: int = 4,
    style: Style = TORCH,
) -> Unit:
    """Return a bottleneck whose 3x3 convolution is split into groups (Xie et al., figure 3(c)).

    Args:
        filters: a quarter of the number of output channels; 64 in the first stage.
        init_strides: the strides of the 3x3 convolution, and of the projection.
        cardinality: the number of groups.
        group_width: the channels of a group for 64 filters; they grow in proportion to ``filters``.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import resnext_block
        >>> resnext_block(64)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 256)
    """
    branch = resnext_branch(filters, init_strides, cardinality, group_width, style)
    return add_and_activate(branch, init_strides, "B", style)


def resnext_branch(
    filters: int, strides: Strides, cardinality: int, group_width: int, style: Style
) -> Unit:
    """Return the residual branch of `resnext_block`."""
    channels, rest = divmod(group_width * filters, 64)
    if rest or channels < 1:
        raise ValueError(
            f"group_width: received {group_width} with {filters} filters; expected a whole number "
            f"of channels for each group, which is group_width * filters / 64. Pass multiples."
        )
    width = cardinality * channels
    return bottleneck_branch(
        filters, second_strides=strides, width=width, groups=cardinality, style=style
    )


class ResnextBuilder:
    """ResNeXt: ``resnet_v1_5_50`` and ``_101`` with grouped 3x3 convolutions.

    ``resnext_50_32x4d`` has 32 groups of 4 channels in its first stage. The stem, head and style
    are those of ``resnet_v1_5_50``. The 3x3 convolution has the stride and the max-pooling is
    padded by 1, as in torchvision and the authors' code. The paper's network of 101 layers is
    ``resnext_101_64x4d``, which torchvision has too; ``resnext_101_32x8d`` is torchvision's alone,
    and ``resnext_101_32x4d`` is timm's.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        repetitions: Sequence[int],
        cardinality: int = 32,
        group_width: int = 4,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a ResNeXt.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            repetitions: the number of blocks of each stage, such as ``(3, 4, 6, 3)``.
            cardinality: the number of groups of the 3x3 convolutions.
            group_width: the channels of a group in the first stage: the 4 in 32x4d.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, number or option.

        Examples:
            >>> from keras_convnets import ResnextBuilder
            >>> ResnextBuilder.build((3, 64, 64), 10, (1, 1), cardinality=8).output_shape
            (None, 10)
        """
        block = functools.partial(
            resnext_block,
            cardinality=checks.positive_integer("cardinality", cardinality, "groups, such as 32"),
            group_width=checks.positive_integer("group_width", group_width, "channels, such as 4"),
        )
        parts = residual_parts(imagenet_stem(TORCH), block, repetitions)
        return assemble(input_shape, num_outputs, parts, "resnext", **options)

    @staticmethod
    @published(PAPER)
    def build_resnext_50_32x4d(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNeXt-50 (32x4d): 3, 4, 6, 3 blocks of 32 groups."""
        return ResnextBuilder.build(input_shape, num_outputs, (3, 4, 6, 3), 32, 4, **options)

    @staticmethod
    @published(TORCHVISION)
    def build_resnext_101_32x8d(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNeXt-101 (32x8d): 3, 4, 23, 3 blocks of 32 groups."""
        return ResnextBuilder.build(input_shape, num_outputs, (3, 4, 23, 3), 32, 8, **options)

    @staticmethod
    @published(PAPER)
    def build_resnext_101_64x4d(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNeXt-101 (64x4d): 3, 4, 23, 3 blocks of 64 groups."""
        return ResnextBuilder.build(input_shape, num_outputs, (3, 4, 23, 3), 64, 4, **options)

    @staticmethod
    @published(TIMM)
    def build_resnext_101_32x4d(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNeXt-101 (32x4d): 3, 4, 23, 3 blocks of 32 groups."""
        return ResnextBuilder.build(input_shape, num_outputs, (3, 4, 23, 3), 32, 4, **options)
