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


def caffe_stem(style: Style) -> Unit:
    """Return the stem of the authors' Caffe models, whose max-pooling has no padding.

    It rounds the size up. On even maps, its windows are a pixel further on than those of
    `imagenet_stem`.
    """
    return chain(units.conv_bn_relu(64, 7, 2, style=style), units.caffe_max_pool(3, 2))


def bare_stem(style: Style) -> Unit:
    """Return timm's stem for pre-activation: 7x7/2 convolution and 3x3/2 max-pooling.

    The values that are pooled may be negative, so the padding must not be zeros. Keras' "same"
    ignores positions beyond the edge, but with a stride it is not symmetric: the maxima of all 3x3
    windows are computed, and every second one is taken.
    """
    return chain(
        units.style_conv(64, 7, 2, style=style),
        units.max_pool(3, 1, "same"),
        units.max_pool(1, 2, "valid"),
    )


def cifar_stem(style: Style) -> Unit:
    """Return the stem for small images: 3x3 convolution to 16 channels, BN, ReLU."""
    return units.conv_bn_relu(16, 3, style=style)
