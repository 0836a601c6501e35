"""The stems of residual networks, for large and for small images."""

from __future__ import annotations

from keras_convnets import units
from keras_convnets.units import Style, Unit, chain


def imagenet_stem(style: Style, filters: int = 64) -> Unit:
    """Return the stem for large images: 7x7/2 convolution, BN, ReLU, 3x3/2 max-pooling."""
    return chain(
        units.conv_bn_relu(filters, 7, 2, style=style),
        units.max_pool(3, 2, padding=style.padding),
    )


def cifar_stem(style: Style) -> Unit:
    """Return the stem for small images: 3x3 convolution to 16 channels, BN, ReLU."""
    return units.conv_bn_relu(16, 3, style=style)
