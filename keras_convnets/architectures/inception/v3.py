"""Inception-v3: blocks A to E, the stem, the auxiliary classifier.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2015,
arXiv:1512.00567), in the form released with TF-Slim, which torchvision and Keras follow. Blocks
have torchvision's letters. "7x7" is short for a 1x7 and a 7x1 convolution.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from keras_convnets import units
from keras_convnets.architectures.inception.multibranch import (
    auxiliary,
    blocks,
    concat_branches,
    reduction_a,
)
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Part, Style, Unit, chain, heads
from keras_convnets.units.heads import Activation, Head


@typed
def inception_a(pool_features: int, style: Style = TORCH) -> Unit:
    """Return Inception-v3's block at 35 x 35: 1x1; 5x5; 3x3 twice; pooling.

    Args:
        pool_features: the channels of the pooling branch: 32, 64 and 64 in the network.
        style: the style of convolutions and batch normalisations. With ``"symmetric"`` padding,
            average pooling includes the zero padding; with ``"same"`` it does not.

    Returns:
        A function of a tensor; its output has ``224 + pool_features`` channels.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_a
        >>> inception_a(32)(keras.Input((35, 35, 192))).shape
        (None, 35, 35, 256)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch1x1=conv(64, 1),
        branch5x5=chain(conv(48, 1), conv(64, 5)),
        branch3x3dbl=chain(conv(64, 1), conv(96, 3), conv(96, 3)),
        branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(pool_features, 1)),
    )


@typed
def inception_b(style: Style = TORCH) -> Unit:
    """Return Inception-v3's block from 35 x 35 to 17 x 17: `reduction_a` with its own widths.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_b
        >>> inception_b()(keras.Input((35, 35, 288))).shape
        (None, 17, 17, 768)
    """
    return reduction_a(64, 96, 96, 384, style)


@typed
def inception_c(channels_7x7: int, style: Style = TORCH) -> Unit:
    """Return Inception-v3's block at 17 x 17: 1x1; 7x7; 7x7 twice; pooling. 768 channels.

    Args:
        channels_7x7: the channels inside the 7x7 branches: 128, 160, 160 and 192 in the network.
        style: see `inception_a`.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_c
        >>> inception_c(128)(keras.Input((17, 17, 768))).shape
        (None, 17, 17, 768)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    inside = channels_7x7
    return concat_branches(
        branch1x1=conv(192, 1),
        branch7x7=chain(conv(inside, 1), conv(inside, (1, 7)), conv(192, (7, 1))),
        branch7x7dbl=chain(
            conv(inside, 1),
            *(conv(inside, (7, 1)), conv(inside, (1, 7))),
            *(conv(inside, (7, 1)), conv(192, (1, 7))),
        ),
        branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(192, 1)),
    )


@typed
def inception_d(style: Style = TORCH) -> Unit:
    """Return Inception-v3's block from 17 x 17 to 8 x 8: 3x3/2; 7x7 and 3x3/2; pooling.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_d
        >>> inception_d()(keras.Input((17, 17, 768))).shape
        (None, 8, 8, 1280)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch3x3=chain(conv(192, 1), conv(320, 3, 2, "valid")),
        branch7x7x3=chain(
            conv(192, 1), conv(192, (1, 7)), conv(192, (7, 1)), conv(192, 3, 2, "valid")
        ),
        branch_pool=units.max_pool(3, 2, "valid"),
    )


@typed
def inception_e(style: Style = TORCH) -> Unit:
    """Return Inception-v3's block at 8 x 8, whose branches split again. 2048 channels.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_e
        >>> inception_e()(keras.Input((8, 8, 1280))).shape
        (None, 8, 8, 2048)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    split = concat_branches(split1x3=conv(384, (1, 3)), split3x1=conv(384, (3, 1)))
    return concat_branches(
        branch1x1=conv(320, 1),
        branch3x3=chain(conv(384, 1), split),
        branch3x3dbl=chain(conv(448, 1), conv(384, 3), split),
        branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(192, 1)),
    )


def stem(style: Style) -> list[Part]:
    """Return the stem of Inception-v3 and of Inception-ResNet-v2: 299 x 299 to 35 x 35."""
    conv = functools.partial(units.conv_bn_relu, style=style)
    pool = units.max_pool(3, 2, "valid")
    return [
        ("conv1", conv(32, 3, 2, "valid")),
        ("conv2", chain(conv(32, 3, 1, "valid"), conv(64, 3), pool)),
        ("conv3", conv(80, 1)),
        ("conv4", chain(conv(192, 3, 1, "valid"), pool)),
    ]


def parts(style: Style) -> Iterator[Part]:
    """Yield the parts of Inception-v3, numbered like TF-Slim's ``Mixed_5b`` to ``Mixed_7c``."""
    yield from stem(style)
    yield from blocks("inception5", [inception_a(pooled, style) for pooled in (32, 64, 64)])
    yield "reduction6", inception_b(style)
    yield from blocks("inception6", [inception_c(inside, style) for inside in (128, 160, 160, 192)])
    yield "reduction7", inception_d(style)
    yield from blocks("inception7", [inception_e(style)] * 2)


def auxiliary_head(style: Style) -> Head:
    """Return the head of the auxiliary classifier, for feature maps of at least 17 x 17."""

    def head(num_outputs: int, activation: Activation) -> Unit:
        conv = functools.partial(units.conv_bn_relu, style=style)
        return chain(
            auxiliary(chain(units.avg_pool(5, strides=3), conv(128, 1), conv(768, 5, 1, "valid"))),
            heads.classifier(num_outputs, activation),
        )

    return head
