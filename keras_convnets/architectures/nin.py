"""Network in network: convolutions followed by 1x1 convolutions, and no dense layer.

Lin, Chen and Yan, "Network In Network" (2013, arXiv:1312.4400).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import checks, units
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.padding import Padding
from keras_convnets.registry import published
from keras_convnets.units import Unit, chain, heads
from keras_convnets.units.heads import Activation, Head

CIFAR_SOURCE = "Lin et al. 2013 (arXiv:1312.4400), the authors' Caffe definition"
IMAGENET_SOURCE = "Caffe model zoo, Network in Network (arXiv:1312.4400)"


def mlpconv(
    filters: Sequence[int], kernel_size: int, strides: int = 1, padding: Padding = "symmetric"
) -> Unit:
    """Return a convolution and 1x1 convolutions after it, with ReLU after each.

    The 1x1 convolutions are a small dense network that is slid over the feature maps.

    Args:
        filters: the channels of each convolution, such as ``(192, 160, 96)``.
        kernel_size: rows and columns of the first one's kernel.
        strides: the same for its strides.
        padding: ``"symmetric"``, ``"same"``, ``"valid"``, or how many zeros to add on each side.

    Raises:
        ValueError: for filters that are not one or more positive integers.

    Examples:
        >>> import keras
        >>> from keras_convnets import mlpconv
        >>> mlpconv((192, 160, 96), 5)(keras.Input((32, 32, 3))).shape
        (None, 32, 32, 96)
    """
    first, *rest = checks.positive_integers("filters", filters, "channels, such as (192, 160, 96)")
    return chain(
        units.conv_relu(first, kernel_size, strides, padding),
        *(units.conv_relu(width, 1) for width in rest),
    )


_CIFAR = (
    chain(mlpconv((192, 160, 96), 5), units.max_pool(3, 2)),
    chain(units.dropout(0.5), mlpconv((192, 192, 192), 5), units.avg_pool(3, 2, "same")),
)
_IMAGENET = (
    chain(mlpconv((96, 96, 96), 11, 4, "valid"), units.caffe_max_pool(3, 2)),
    chain(mlpconv((256, 256, 256), 5), units.caffe_max_pool(3, 2)),
    chain(mlpconv((384, 384, 384), 3), units.caffe_max_pool(3, 2)),
)


class NinBuilder:
    """Network in network: stages of a convolution and 1x1 convolutions, and no dense layer.

    The last stage has a map for each output, whose mean over all pixels is the score, so that rows
    and columns may be ``None``. ReLU follows every convolution, the last too. That last stage, with
    dropout of 0.5 before it, is the head: without the top, the networks end in the pooling before.

    ``cifar_nin`` and ``nin`` are the authors' Caffe definitions. Where a 3x3 window with stride 2
    reaches over the edge, Caffe pools what there is of it. In ``cifar_nin``, pooling with "same"
    padding does that for 32x32 images, and for all whose sizes are multiples of 4. In ``nin`` it is
    done at any size: feature maps have 54, 27, 13 and 6 pixels a side for images of 224x224.
    (PyTorch's pooling leaves such a window out unless told ``ceil_mode=True``.) The paper itself
    gives no widths.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        stages: Sequence[Unit],
        hidden: Sequence[int],
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a network in network of stages of your choice.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns may
                be ``None``; otherwise they must be large enough for the stages' strides.
            num_outputs: the number of outputs, at least 1.
            stages: functions from tensor to tensor for all stages but the last, such as
                [`mlpconv`][keras_convnets.mlpconv] with pooling after it.
            hidden: the channels of the last stage's convolutions but the last, such as ``(192,
                192)``; the first of them is 3x3.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for a shape, stage, width or option that no network can be built from.

        Examples:
            >>> from keras_convnets import NinBuilder, chain, max_pool, mlpconv
            >>> stage = chain(mlpconv((32, 16), 5), max_pool(3, 2))
            >>> NinBuilder.build((3, None, None), 10, [stage], hidden=(32,)).output_shape
            (None, 10)
        """
        parts = [(f"conv{number}", stage) for number, stage in enumerate(stages, start=1)]
        widths = checks.positive_integers("hidden", hidden, "channels, such as (192, 192)")
        return assemble(input_shape, num_outputs, parts, "nin", _head(widths), **options)

    @staticmethod
    @published(CIFAR_SOURCE, (3, 32, 32), 10)
    def build_cifar_nin(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the network for CIFAR: 192-160-96, 192-192-192, 192-192-outputs."""
        return NinBuilder.build(input_shape, num_outputs, _CIFAR, (192, 192), **options)

    @staticmethod
    @published(IMAGENET_SOURCE)
    def build_nin(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the network for ImageNet: three stages, of 96, 256 and 384 channels, then 1024."""
        return NinBuilder.build(input_shape, num_outputs, _IMAGENET, (1024, 1024), **options)


def _head(hidden: Sequence[int]) -> Head:
    def head(num_outputs: int, activation: Activation) -> Unit:
        return chain(
            units.dropout(0.5),
            mlpconv((*hidden, num_outputs), 3),
            units.global_pool("avg"),
            heads.output_activation(activation),
        )

    return head
