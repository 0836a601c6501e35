"""Inception-v4: its stem with branches, blocks A to C, reductions A and B.

Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning"
(2016, arXiv:1602.07261), figures 3 to 9, in TF-Slim's form.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from keras_convnets import units
from keras_convnets.architectures.inception.multibranch import (
    blocks,
    concat_branches,
    reduction_a,
)
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Part, Style, Unit, chain


@typed
def inception_v4_a(style: Style = TORCH) -> Unit:
    """Return Inception-v4's block at 35 x 35: 1x1; 3x3; 3x3 twice; pooling. 384 channels.

    Args:
        style: the style of convolutions and batch normalisations. With ``"symmetric"`` padding,
            average pooling includes the zero padding; with ``"same"`` it does not.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_v4_a
        >>> inception_v4_a()(keras.Input((35, 35, 384))).shape
        (None, 35, 35, 384)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch1x1=conv(96, 1),
        branch3x3=chain(conv(64, 1), conv(96, 3)),
        branch3x3dbl=chain(conv(64, 1), conv(96, 3), conv(96, 3)),
        branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(96, 1)),
    )


@typed
def inception_v4_b(style: Style = TORCH) -> Unit:
    """Return Inception-v4's block at 17 x 17: 1x1; 7x7; 7x7 twice; pooling. 1024 channels.

    Args:
        style: see `inception_v4_a`.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_v4_b
        >>> inception_v4_b()(keras.Input((17, 17, 1024))).shape
        (None, 17, 17, 1024)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch1x1=conv(384, 1),
        branch7x7=chain(conv(192, 1), conv(224, (1, 7)), conv(256, (7, 1))),
        branch7x7dbl=chain(
            conv(192, 1),
            *(conv(192, (7, 1)), conv(224, (1, 7))),
            *(conv(224, (7, 1)), conv(256, (1, 7))),
        ),
        branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(128, 1)),
    )


@typed
def inception_v4_c(style: Style = TORCH) -> Unit:
    """Return Inception-v4's block at 8 x 8, whose branches split again. 1536 channels.

    Args:
        style: see `inception_v4_a`.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_v4_c
        >>> inception_v4_c()(keras.Input((8, 8, 1536))).shape
        (None, 8, 8, 1536)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    split = concat_branches(split1x3=conv(256, (1, 3)), split3x1=conv(256, (3, 1)))
    return concat_branches(
        branch1x1=conv(256, 1),
        branch3x3=chain(conv(384, 1), split),
        branch3x3dbl=chain(conv(384, 1), conv(448, (3, 1)), conv(512, (1, 3)), split),
        branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(256, 1)),
    )


@typed
def reduction_v4_b(style: Style = TORCH) -> Unit:
    """Return Inception-v4's block from 17 x 17 to 8 x 8: 3x3/2; 7x7 and 3x3/2; pooling.

    Args:
        style: the style of convolutions and batch normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import reduction_v4_b
        >>> reduction_v4_b()(keras.Input((17, 17, 1024))).shape
        (None, 8, 8, 1536)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch3x3=chain(conv(192, 1), conv(192, 3, 2, "valid")),
        branch7x7x3=chain(
            conv(256, 1), conv(256, (1, 7)), conv(320, (7, 1)), conv(320, 3, 2, "valid")
        ),
        branch_pool=units.max_pool(3, 2, "valid"),
    )


def stem(style: Style) -> list[Part]:
    """Return the stem, from 299 x 299 to 35 x 35; its second half has branches (figure 3)."""
    conv = functools.partial(units.conv_bn_relu, style=style)
    pool = units.max_pool(3, 2, "valid")
    mixed4 = concat_branches(
        branch3x3=chain(conv(64, 1), conv(96, 3, 1, "valid")),
        branch7x7x3=chain(conv(64, 1), conv(64, (1, 7)), conv(64, (7, 1)), conv(96, 3, 1, "valid")),
    )
    return [
        ("conv1", conv(32, 3, 2, "valid")),
        ("conv2", chain(conv(32, 3, 1, "valid"), conv(64, 3))),
        ("mixed3", concat_branches(branch_pool=pool, branch3x3=conv(96, 3, 2, "valid"))),
        ("mixed4", mixed4),
        ("mixed5", concat_branches(branch3x3=conv(192, 3, 2, "valid"), branch_pool=pool)),
    ]


def parts(style: Style) -> Iterator[Part]:
    """Yield the parts of Inception-v4, numbered like TF-Slim's ``Mixed_3a`` to ``Mixed_7d``."""
    yield from stem(style)
    yield from blocks("inception5", [inception_v4_a(style)] * 4)
    yield "reduction6", reduction_a(192, 224, 256, 384, style)
    yield from blocks("inception6", [inception_v4_b(style)] * 7)
    yield "reduction7", reduction_v4_b(style)
    yield from blocks("inception7", [inception_v4_c(style)] * 3)
