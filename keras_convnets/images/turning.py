"""Turning photographs upright: a JPEG carries how, up to where its pixels are decoded.

Cameras write the pixels as the sensor has them. TensorFlow's decoder takes no notice of EXIF, so a
comment of our own, at a fixed place, says what EXIF says. Only what is needed is decoded then, as
of any other JPEG.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_convnets.images.exif import UPRIGHT

MARK = b"\xff\xd8\xff\xfe\x00\x07turn"
"""The start of a JPEG, and of a comment of 5 bytes of which the last one says how."""

_HOW = np.array([MARK + b"%d" % orientation for orientation in range(1, 9)], object)
# What is done to turn an image upright: rows and columns are swapped, then either is reversed.
_SWAPS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
_REVERSES = np.array([(0, 0), (0, 1), (1, 1), (1, 0), (0, 0), (0, 1), (1, 1), (1, 0)])
_ORDERS = np.array([(0, 1, 2, 3), (1, 0, 3, 2)])  # of a window
_AXES = np.array([(0, 1, 2), (1, 0, 2)])


def marked(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG that says how it is to be turned; one that is upright, as it is."""
    if orientation == UPRIGHT and not jpeg.startswith(MARK):
        return jpeg
    return MARK + b"%d" % orientation + jpeg[2:]


class Turn:
    """How a JPEG is to be turned: not at all unless it is marked.

    Args:
        encoded: the JPEG, a scalar string tensor.

    Attributes:
        is_needed: whether it is to be turned.
    """

    def __init__(self, encoded: tf.Tensor) -> None:
        said = tf.strings.substr(encoded, 0, len(_HOW[0])) == _HOW
        how = tf.argmax(tf.cast(said, tf.int32))  # the first one if it says none
        self.is_needed = how > 0
        self._swap = tf.gather(_SWAPS, how)
        self._reverse = tf.gather(_REVERSES, how)

    def swapped(self, sides: tf.Tensor) -> tf.Tensor:
        """Return rows and columns in the other order if the image lies on its side."""
        return tf.gather(sides, tf.gather(_ORDERS[:, :2], self._swap))

    def stored(self, window: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
        """Return where a window of the upright image is among the pixels as they are stored.

        Args:
            window: the first row and column, the rows and the columns.
            given: the rows and columns of the upright image.
        """
        first, sides = window[:2], window[2:]
        first = tf.where(self._reverse > 0, given - first - sides, first)
        order = tf.gather(_ORDERS, self._swap)
        return tf.gather(tf.concat([first, sides], axis=0), order)

    def upright(self, pixels: tf.Tensor) -> tf.Tensor:
        """Return the upright image, (rows, cols, channels), from pixels as they are stored."""
        image = tf.transpose(pixels, tf.gather(_AXES, self._swap))
        dims = tf.concat([self._reverse > 0, [False]], axis=0)
        image = tf.raw_ops.Reverse(tensor=image, dims=dims)
        return tf.ensure_shape(image, (None, None, pixels.shape[-1]))
