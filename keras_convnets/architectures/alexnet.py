"""AlexNet: five convolutions and three dense layers.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks"
(2012), and Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014,
arXiv:1404.5997).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Unpack

import keras

from keras_convnets import units
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.padding import Padding
from keras_convnets.registry import published
from keras_convnets.typed import explaining
from keras_convnets.units import Unit, chain, heads
from keras_convnets.units.heads import Head

PAPER = "Krizhevsky et al. 2012 (NIPS)"
CAFFE = "Caffe's bvlc_alexnet (Krizhevsky et al. 2012)"
TORCHVISION = "torchvision (Krizhevsky 2014, arXiv:1404.5997)"

LRN_2012 = units.local_response_norm(5, alpha=1e-4, beta=0.75, bias=2.0)
LRN_CAFFE = units.local_response_norm(5, alpha=1e-4 / 5, beta=0.75, bias=1.0)
HEAD_2012 = heads.hidden_classifier()
HEAD_2014 = heads.adaptive(
    6,
    heads.flat_classifier(
        *(units.dropout(0.5), heads.dense(4096), units.relu()),
        *(units.dropout(0.5), heads.dense(4096), units.relu()),
    ),
)


class AlexnetRow(NamedTuple):
    """A convolution of AlexNet with ReLU, and the layers that follow it.

    Attributes:
        filters: the number of output channels.
        kernel_size: the rows and columns of the kernel.
        strides: the strides along rows and columns.
        padding: ``"symmetric"``, ``"valid"``, or the number of zeros to add on each side.
        groups: the number of groups of channels that are convolved separately, as on the paper's
            two GPUs.
        lrn: whether local response normalisation follows, with the paper's constants.
        pool: whether max-pooling follows: 3x3 with stride 2, so that windows overlap.
        caffe: whether both are as in Caffe's ``bvlc_alexnet``: the constants are Caffe's, and
            pooling rounds sizes up.
    """

    filters: int
    kernel_size: int
    strides: int = 1
    padding: Padding = "symmetric"
    groups: int = 1
    lrn: bool = False
    pool: bool = False
    caffe: bool = False


ROWS_2012 = (
    AlexnetRow(96, 11, strides=4, padding="valid", lrn=True, pool=True),
    AlexnetRow(256, 5, groups=2, lrn=True, pool=True),
    AlexnetRow(384, 3),
    AlexnetRow(384, 3, groups=2),
    AlexnetRow(256, 3, groups=2, pool=True),
)
ROWS_CAFFE = tuple(row._replace(caffe=True) for row in ROWS_2012)
ROWS_2014 = (
    AlexnetRow(64, 11, strides=4, padding=2, pool=True),
    AlexnetRow(192, 5, pool=True),
    AlexnetRow(384, 3),
    AlexnetRow(256, 3),
    AlexnetRow(256, 3, pool=True),
)


class AlexnetBuilder:
    """AlexNet as published in 2012, Caffe's version of it, and torchvision's of the 2014 paper.

    ``alexnet_original`` is the network of 2012, which ran on two GPUs. Its second, fourth and fifth
    convolutions see only the channels on their own GPU; here these are groups. The ReLU of the
    first two convolutions is followed by local response normalisation (over 5 channels, alpha 1e-4,
    beta 0.75, k 2) and then by max-pooling. The normalisation runs across the channels of both
    GPUs, as in Caffe's version of the network. The paper states 224x224 images, but its 55x55
    feature maps require 227x227 without padding.

    ``alexnet_caffe`` is Caffe's ``bvlc_alexnet``, for weights that were trained with Caffe. It
    differs from ``alexnet_original`` in the constants of the normalisation, which are alpha 1e-4 /
    5 (Caffe divides alpha by the number of channels) and k 1, and in the pooling, which rounds
    sizes up. At 227x227, the pooling is the same. (Caffe's CaffeNet, another network, pools before
    it normalises.)

    ``alexnet`` is torchvision's network: a single tower of 64, 192, 384, 256 and 256 channels for
    224x224 images, without normalisation, and with padding of 2 in the first convolution. (TF-Slim
    also has 384 channels in the fourth convolution, and does not pad the first.) Dropout precedes
    the first two dense layers; in 2012 it followed their ReLU. Average pooling of the last feature
    maps to 6x6 precedes them, so that the shape of their kernels does not depend on the image size,
    which may be ``None``. At 224x224, the pooling has no effect. In the networks of 2012, the
    feature maps go to the first dense layer unchanged.
    """

    @staticmethod
    @explaining
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        rows: Sequence[AlexnetRow],
        head: Head = HEAD_2012,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return an AlexNet with custom convolutions.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns may
                be ``None`` without the top, or with a head that allows it.
            num_outputs: the number of outputs, at least 1.
            rows: an [`AlexnetRow`][keras_convnets.AlexnetRow] for each convolution.
            head: ``head(num_outputs, activation)`` returns a function of a tensor. By default, two
                dense layers of 4096 units with ReLU and dropout of 0.5, and the output layer.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, row or option.

        Examples:
            >>> from keras_convnets import AlexnetBuilder, AlexnetRow
            >>> rows = (AlexnetRow(16, 5, strides=2, pool=True), AlexnetRow(32, 3, groups=2))
            >>> model = AlexnetBuilder.build((3, 64, 64), 10, rows, include_top=False)
            >>> model.output_shape
            (None, 15, 15, 32)
        """
        parts = [
            (f"conv{number}", _layer(row)) for number, row in enumerate(_checked(rows), start=1)
        ]
        return assemble(input_shape, num_outputs, parts, "alexnet", head, **options)

    @staticmethod
    @published(TORCHVISION)
    def build_alexnet(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return torchvision's AlexNet: 64, 192, 384, 256, 256 channels in one tower."""
        return AlexnetBuilder.build(input_shape, num_outputs, ROWS_2014, HEAD_2014, **options)

    @staticmethod
    @published(PAPER, (3, 227, 227))
    def build_alexnet_original(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the AlexNet of 2012: 96, 256, 384, 384, 256 channels in two towers."""
        return AlexnetBuilder.build(input_shape, num_outputs, ROWS_2012, **options)

    @staticmethod
    @published(CAFFE, (3, 227, 227))
    def build_alexnet_caffe(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return Caffe's AlexNet: two towers, with Caffe's normalisation and pooling."""
        return AlexnetBuilder.build(input_shape, num_outputs, ROWS_CAFFE, **options)


def _layer(row: AlexnetRow) -> Unit:
    parts = [units.conv_relu(row.filters, row.kernel_size, row.strides, row.padding, row.groups)]
    if row.lrn:
        parts.append(LRN_CAFFE if row.caffe else LRN_2012)
    if row.pool:
        parts.append(units.caffe_max_pool(3, 2) if row.caffe else units.max_pool(3, 2, "valid"))
    return chain(*parts)


def _checked(rows: Any) -> tuple[AlexnetRow, ...]:
    given = tuple(rows) if isinstance(rows, Iterable) else ()
    if not given or not all(isinstance(row, AlexnetRow) for row in given):
        raise ValueError(
            f"rows: received {rows!r}; expected one or more AlexnetRow. Pass a row for each "
            "convolution, such as (AlexnetRow(64, 11, strides=4, pool=True), AlexnetRow(192, 5))."
        )
    return given
