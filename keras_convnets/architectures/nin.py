"""Network in network: convolutions followed by 1x1 convolutions, without dense layers.

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
from keras_convnets.typed import explaining
from keras_convnets.units import Unit, chain, heads
from keras_convnets.units.heads import Activation, Head

CIFAR_SOURCE = "Lin et al. 2013 (arXiv:1312.4400), the authors' Caffe definition"
IMAGENET_SOURCE = "Caffe model zoo, Network in Network (arXiv:1312.4400)"


@explaining
def mlpconv(
    filters: Sequence[int], kernel_size: int, strides: int = 1, padding: Padding = "symmetric"
) -> Unit:
    """Return a convolution followed by 1x1 convolutions, with ReLU after each.

    The 1x1 convolutions act as a small dense network applied at every position.

    Args:
        filters: the channels of each convolution, such as ``(192, 160, 96)``.
        kernel_size: the rows and columns of the first convolution's kernel.
        strides: the strides of the first convolution.
        padding: ``"symmetric"``, ``"same"``, ``"valid"``, or the number of zeros on each side.

    Raises:
        ValueError: if ``filters`` is not one or more positive integers.

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
    chain(mlpconv((192, 160, 96), 5), units.caffe_max_pool(3, 2)),
    chain(units.dropout(0.5), mlpconv((192, 192, 192), 5), units.caffe_avg_pool(3, 2)),
)
_IMAGENET = (
    chain(mlpconv((96, 96, 96), 11, 4, "valid"), units.caffe_max_pool(3, 2)),
    chain(mlpconv((256, 256, 256), 5), units.caffe_max_pool(3, 2)),
    chain(mlpconv((384, 384, 384), 3), units.caffe_max_pool(3, 2)),
)


class NinBuilder:
    """Network in network: stages of a convolution and 1x1 convolutions, without dense layers.

    The last stage has one channel for each output. The mean of a channel over all pixels is the
    logit, so rows and columns may be ``None``. ReLU follows every convolution, including the last.
    The last stage, preceded by dropout of 0.5, is the head: without the top, the networks end in
    the pooling before it.

    ``cifar_nin`` and ``nin`` follow the authors' Caffe definitions. Where a 3x3 window with stride
    2 extends beyond the edge, the part inside is pooled, as in Caffe: for 224x224 images, the
    feature maps of ``nin`` are 54, 27, 13 and 6 pixels wide. (PyTorch drops such windows unless
    ``ceil_mode=True``.) The paper itself gives no widths.
    """

    @staticmethod
    @explaining
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        stages: Sequence[Unit],
        hidden: Sequence[int],
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a network in network with custom stages.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns may
                be ``None``; otherwise they must be large enough for the stages' strides.
            num_outputs: the number of outputs, at least 1.
            stages: functions from tensor to tensor for all stages except the last, such as
                [`mlpconv`][keras_convnets.mlpconv] followed by pooling.
            hidden: the channels of the convolutions in the last stage, except its output
                convolution, such as ``(192, 192)``. The first one is 3x3.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, stage, width or option.

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
