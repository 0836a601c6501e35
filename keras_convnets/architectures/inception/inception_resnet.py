"""Inception-ResNet-v2: Inception blocks as residual branches, scaled before the addition.

Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning"
(2016, arXiv:1602.07261), in the form released with TF-Slim, which Keras follows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from keras_convnets import axes, units
from keras_convnets.architectures.inception.multibranch import (
    blocks,
    concat_branches,
    reduction_a,
)
from keras_convnets.architectures.inception.v3 import stem
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Part, Style, Tensor, Unit, chain


@typed
def inception_resnet_a(scale: float = 0.17, style: Style = TORCH) -> Unit:
    """Return the residual block at 35 x 35: 1x1; 3x3; 3x3 twice. It preserves the shape.

    The outputs of the branches are concatenated, projected to the number of input channels by a
    biased 1x1 convolution, scaled by ``scale`` and added to the input. ReLU follows.

    Args:
        scale: the factor of the residual; the paper recommends 0.1 to 0.3.
        style: the style of convolutions and batch normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_resnet_a
        >>> inception_resnet_a(scale=0.17)(keras.Input((35, 35, 320))).shape
        (None, 35, 35, 320)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    branches = concat_branches(
        branch1x1=conv(32, 1),
        branch3x3=chain(conv(32, 1), conv(32, 3)),
        branch3x3dbl=chain(conv(32, 1), conv(48, 3), conv(64, 3)),
    )
    return _residual(branches, scale)


@typed
def inception_resnet_b(scale: float = 0.1, style: Style = TORCH) -> Unit:
    """Return the residual block at 17 x 17: 1x1; 7x7. It preserves the shape.

    Args:
        scale: see `inception_resnet_a`.
        style: the style of convolutions and batch normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_resnet_b
        >>> inception_resnet_b()(keras.Input((17, 17, 1088))).shape
        (None, 17, 17, 1088)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    branches = concat_branches(
        branch1x1=conv(192, 1),
        branch7x7=chain(conv(128, 1), conv(160, (1, 7)), conv(192, (7, 1))),
    )
    return _residual(branches, scale)


@typed
def inception_resnet_c(
    scale: float = 0.2, activation: str | None = "relu", style: Style = TORCH
) -> Unit:
    """Return the residual block at 8 x 8: 1x1; 3x3 as 1x3 and 3x1. It preserves the shape.

    Args:
        scale: see `inception_resnet_a`.
        activation: the activation after the addition; none in the last block of the network.
        style: the style of convolutions and batch normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception_resnet_c
        >>> inception_resnet_c()(keras.Input((8, 8, 2080))).shape
        (None, 8, 8, 2080)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    branches = concat_branches(
        branch1x1=conv(192, 1),
        branch3x3=chain(conv(192, 1), conv(224, (1, 3)), conv(256, (3, 1))),
    )
    return _residual(branches, scale, activation)


@typed
def reduction_resnet_b(style: Style = TORCH) -> Unit:
    """Return the block from 17 x 17 to 8 x 8: 3x3/2 in two branches; 3x3 and 3x3/2; pooling.

    Args:
        style: the style of convolutions and batch normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import reduction_resnet_b
        >>> reduction_resnet_b()(keras.Input((17, 17, 1088))).shape
        (None, 8, 8, 2080)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch3x3a=chain(conv(256, 1), conv(384, 3, 2, "valid")),
        branch3x3b=chain(conv(256, 1), conv(288, 3, 2, "valid")),
        branch3x3dbl=chain(conv(256, 1), conv(288, 3), conv(320, 3, 2, "valid")),
        branch_pool=units.max_pool(3, 2, "valid"),
    )


def parts(style: Style) -> Iterator[Part]:
    """Yield the parts of Inception-ResNet-v2. Its residual stages are ``inception5`` to ``7``."""
    conv = functools.partial(units.conv_bn_relu, style=style)
    yield from stem(style)
    yield (
        "mixed5",
        concat_branches(
            branch1x1=conv(96, 1),
            branch5x5=chain(conv(48, 1), conv(64, 5)),
            branch3x3dbl=chain(conv(64, 1), conv(96, 3), conv(96, 3)),
            branch_pool=chain(units.avg_pool(3, 1, style.padding), conv(64, 1)),
        ),
    )
    yield from blocks("inception5", [inception_resnet_a(0.17, style)] * 10)
    yield "reduction6", reduction_a(256, 256, 384, 384, style)
    yield from blocks("inception6", [inception_resnet_b(0.1, style)] * 20)
    yield "reduction7", reduction_resnet_b(style)
    last = inception_resnet_c(1.0, activation=None, style=style)
    yield from blocks("inception7", [*[inception_resnet_c(0.2, style=style)] * 9, last])
    yield "final", conv(1536, 1)


def _residual(branches: Unit, scale: float, activation: str | None = "relu") -> Unit:
    """Return a residual block with these branches, which preserves the shape."""

    def apply(x: Tensor) -> Tensor:
        residual = units.conv(axes.channels(x), 1)(branches(x))
        # The input comes first: this determines the order of model.layers and get_weights().
        y = units.add(x, units.scale(scale)(residual))
        return units.activation(activation)(y) if activation else y

    return apply
