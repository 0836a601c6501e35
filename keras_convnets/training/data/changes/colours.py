"""Changes of brightness, contrast, saturation, hue and sharpness, as torchvision defines them.

Pixels are from 0 (black) to 1. Every sum is over integers or in a fixed order, so that an image
becomes the same in any batch.
"""

from __future__ import annotations

import tensorflow as tf

_GREY = (0.299, 0.587, 0.114)
_FINE = 2.0**20  # parts of a pixel's value when a mean is taken over integers


def brightness(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Return images multiplied by a factor each."""
    return _clipped(images * _each(factors))


def contrast(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Return images whose distance from their mean grey is multiplied by a factor each."""
    levels = tf.cast(tf.round(grey(images) * _FINE), tf.int64)
    count = levels.shape[1] * levels.shape[2] * _FINE
    sums = tf.cast(tf.reduce_sum(levels, axis=(1, 2, 3), keepdims=True), tf.float64)
    return _blended(images, tf.cast(sums / count, tf.float32), factors)


def saturation(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Return images whose distance from grey is multiplied by a factor each."""
    return _blended(images, grey(images), factors)


def sharpness(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Return images whose distance from their smoothed version is multiplied by a factor each.

    The pixels at the edges stay, as in Pillow.
    """
    rows, cols = images.shape[1:3]
    if min(rows, cols) < 3:
        return images
    across = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    around = across[:, :, :-2] + across[:, :, 1:-1] + across[:, :, 2:]
    middle = images[:, 1:-1, 1:-1]
    sharp = _blended(middle, (around + 4 * middle) / 13, factors)
    wide = tf.concat([images[:, 1:-1, :1], sharp, images[:, 1:-1, -1:]], axis=2)
    return tf.concat([images[:, :1], wide, images[:, -1:]], axis=1)


def hue(images: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """Return colour images whose hues are shifted by a share of the whole circle each.

    It works on planes, in half the time of ``tf.image.rgb_to_hsv`` and back.
    """
    red, green, blue = tf.unstack(images, axis=-1)
    most = tf.maximum(tf.maximum(red, green), blue)
    chroma = most - tf.minimum(tf.minimum(red, green), blue)
    safe = tf.where(chroma > 0, chroma, 1.0)
    of_green, of_blue = 2 + (blue - red) / safe, 4 + (red - green) / safe
    sixths = tf.where(most == green, of_green, of_blue)
    sixths = tf.where(most == red, (green - blue) / safe, sixths)
    hues = sixths / 6 + shifts[:, tf.newaxis, tf.newaxis]

    def plane(first: int) -> tf.Tensor:
        place = hues + first / 6
        place = (place - tf.floor(place)) * 6
        return most - chroma * _clipped(tf.minimum(place, 4 - place))

    return tf.stack([plane(5), plane(3), plane(1)], axis=-1)


def grey(images: tf.Tensor) -> tf.Tensor:
    """Return the brightness of each pixel, (batch, rows, cols, 1)."""
    channels = images.shape[-1]
    weights = _GREY if channels == len(_GREY) else (1 / channels,) * channels
    planes = [images[..., n : n + 1] * weight for n, weight in enumerate(weights)]
    return tf.add_n(planes) if len(planes) > 1 else images


def _blended(images: tf.Tensor, others: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    return _clipped(others + (images - others) * _each(factors))


def _each(numbers: tf.Tensor) -> tf.Tensor:
    return numbers[:, tf.newaxis, tf.newaxis, tf.newaxis]


def _clipped(images: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images, 0.0, 1.0)
