"""How much each pixel of a side counts for each pixel of the scaled side, as a matrix.

The numbers are those of TensorFlow's antialiased scaling (``ScaleAndTranslate``), of which
converters know nothing. Nothing is multiplied by ``1 / x`` here: TensorFlow approximates it, and
so a half would be none, which has to be rounded up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_convnets.images.resizing import reach

_SPARE = 2  # pixels on each side, for rounding
# Strips of a side, and the pixels of one: more of them save work on large images alone.
_MOST, _NARROWEST = 8, 16


class Side(NamedTuple):
    """The rows of an image, or its columns, and how they are scaled.

    Attributes:
        first: the first pixel of the part of the side that is needed, in the image.
        pixels: how many pixels this part has.
        inverse: how far apart two pixels of the scaled side are, in pixels of the image.
        start: where the scaled side starts, in pixels after the origin.
        origin: the pixel of the image from which places are counted: numbers far from it are
            rounded more coarsely.
        size: the pixels of the scaled side.
        interpolation: ``"bilinear"`` or ``"bicubic"``.
    """

    first: tf.Tensor
    pixels: tf.Tensor
    inverse: tf.Tensor
    start: tf.Tensor
    origin: tf.Tensor
    size: int
    interpolation: str


class Strip(NamedTuple):
    """Some neighbours of the scaled side, and the pixels of the image that they need.

    Attributes:
        first: the first of these pixels, in the image.
        last: the one after the last.
        weights: how much each counts, (pixels of the image, pixels of the scaled side), float32.
    """

    first: tf.Tensor
    last: tf.Tensor
    weights: tf.Tensor


def strips(side: Side) -> list[Strip]:
    """Return the scaled side in strips: few pixels of a large image count for each."""
    width = max(_NARROWEST, -(-side.size // _MOST))
    starts = np.arange(0, side.size, width)
    ends = np.minimum(starts + width, side.size)
    centres = _centres(side, np.arange(side.size))
    within = reach(1 / side.inverse, side.interpolation) + _SPARE
    before = tf.cast(tf.floor(_centres(side, starts) - within), tf.int32) + side.origin
    after = tf.cast(tf.math.ceil(_centres(side, ends - 1) + within), tf.int32) + side.origin
    firsts = tf.unstack(tf.maximum(before, side.first))
    lasts = tf.unstack(tf.minimum(after, side.first + side.pixels))
    return [
        Strip(first, last, _weights(side, first, last, centres[start:end]))
        for first, last, start, end in zip(firsts, lasts, starts, ends, strict=True)
    ]


def _centres(side: Side, places: np.ndarray) -> tf.Tensor:
    """Return where pixels of the scaled side are in the image, in pixels after the origin."""
    return (places + 0.5).astype(np.float32) * side.inverse + side.start


def _weights(side: Side, first: tf.Tensor, last: tf.Tensor, centres: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(tf.range(first - side.origin, last - side.origin), tf.float32) + 0.5
    distances = tf.abs(tf.reshape(pixels, (-1, 1)) - centres) / tf.maximum(side.inverse, 1.0)
    weights = _KERNELS[side.interpolation](distances)
    return weights / tf.reduce_sum(weights, axis=0)


def _triangle(distance: tf.Tensor) -> tf.Tensor:
    return tf.maximum(1 - distance, 0.0)


def _cubic(distance: tf.Tensor) -> tf.Tensor:
    """Return Keys' cubic: one polynomial up to a distance of 1, another up to 2."""
    near = ((1.5 * distance - 2.5) * distance) * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return tf.where(distance < 1, near, tf.where(distance < 2, far, tf.zeros_like(far)))


_KERNELS = {"bilinear": _triangle, "bicubic": _cubic}
