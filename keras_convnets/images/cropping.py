"""Centre crops of scaled images: where they are, and which pixels of the image they need.

Only the crop is computed, from these pixels alone, so no more of a file has to be decoded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_convnets.images.resizing import Size, reach

_SPARE = 2  # pixels on each side, for rounding


class Crop(NamedTuple):
    """A crop of a scaled image.

    Attributes:
        given: the rows and columns of the image, int32.
        scale: the factors by which its rows and columns are scaled.
        place: the first row and column of the crop, in the scaled image.
        size: the rows and columns of the crop.
        window: the first row and column of the pixels that it needs, their rows and columns, int32.
    """

    given: tf.Tensor
    scale: tf.Tensor
    place: tf.Tensor
    size: Size
    window: tf.Tensor


def fitting(given: tf.Tensor, size: Size, margin: float, interpolation: str) -> Crop:
    """Return the middle of an image that is scaled to fit ``margin`` times the size of the crop."""
    target = np.round(np.array(size) * margin)
    sides = tf.cast(given, tf.float32)
    factor = tf.reduce_max(tf.cast(target, tf.float32) / sides)
    sizes = tf.maximum(tf.cast(tf.round(sides * factor), tf.int32), tf.cast(target, tf.int32))
    place = tf.cast((sizes - size) // 2, tf.float32)
    return _crop(given, tf.cast(sizes, tf.float32) / sides, place, size, interpolation)


def of_shorter_side(given: tf.Tensor, size: Size, shorter_side: int, interpolation: str) -> Crop:
    """Return the middle of an image whose shorter side is scaled, where torchvision places it.

    The longer side is rounded down, and the place of the crop to the even number if it is in the
    middle of two.
    """
    # In parts, because a long side times the shorter side may exceed 32 bits, and not every runtime
    # of exported files divides 64 bits.
    shortest = tf.reduce_min(given)
    sizes = given // shortest * shorter_side + given % shortest * shorter_side // shortest
    place = tf.round(tf.cast(sizes - size, tf.float32) / 2)
    scale = tf.cast(sizes, tf.float32) / tf.cast(given, tf.float32)
    return _crop(given, scale, place, size, interpolation)


def cut(image: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    """Return the pixels in a window of an image, or of a batch."""
    top, left, rows, cols = tf.unstack(window)
    return image[..., top : top + rows, left : left + cols, :]


def _crop(
    given: tf.Tensor, scale: tf.Tensor, place: tf.Tensor, size: Size, interpolation: str
) -> Crop:
    spare = reach(scale, interpolation) + _SPARE
    first = tf.cast(tf.floor(place / scale - spare), tf.int32)
    last = tf.cast(tf.math.ceil((place + np.array(size, np.float32)) / scale + spare), tf.int32)
    first, last = tf.maximum(first, 0), tf.minimum(last, given)
    return Crop(given, scale, place, size, tf.concat([first, last - first], axis=0))
