"""Turning photographs upright: a JPEG carries how, up to where its pixels are decoded.

Cameras write the pixels as the sensor has them. TensorFlow's decoder takes no notice of EXIF, so a
comment of our own, at a fixed place, says what EXIF says. Only what is needed is decoded then, as
of any other JPEG.
"""

from __future__ import annotations

import tensorflow as tf

from keras_convnets.images.exif import UPRIGHT

_MARK = b"\xff\xd8\xff\xfe\x00\x07turn"  # the start of a JPEG, and of a comment of 5 bytes
_AT = len(_MARK)
_FIRST_SIDEWAYS = 5
_MIRRORED, _UPSIDE_DOWN = (2, 3, 6, 7), (3, 4, 7, 8)  # after rows and columns are swapped


def marked(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG that says how it is to be turned; one that is upright, as it is."""
    if orientation == UPRIGHT and not jpeg.startswith(_MARK):
        return jpeg
    return _MARK + b"%d" % orientation + jpeg[2:]


def is_marked(encoded: tf.Tensor) -> tf.Tensor:
    """Return whether an encoded image says how it is to be turned."""
    return tf.strings.substr(encoded, 0, _AT) == _MARK


class Turn:
    """How an encoded image that says so is to be turned.

    Args:
        encoded: a JPEG that is marked.
    """

    def __init__(self, encoded: tf.Tensor) -> None:
        how = tf.strings.to_number(tf.strings.substr(encoded, _AT, 1), tf.int32)
        self._is_sideways = how >= _FIRST_SIDEWAYS
        self._is_mirrored = tf.reduce_any(how == tf.constant(_MIRRORED))
        self._is_upside_down = tf.reduce_any(how == tf.constant(_UPSIDE_DOWN))

    def swapped(self, sides: tf.Tensor) -> tf.Tensor:
        """Return rows and columns in the other order if the image lies on its side."""
        return tf.where(self._is_sideways, tf.reverse(sides, [0]), sides)

    def stored(self, window: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
        """Return where a window of the upright image is among the pixels as they are stored.

        Args:
            window: the first row and column, the rows and the columns.
            given: the rows and columns of the upright image.
        """
        first, sides = window[:2], window[2:]
        is_from_end = tf.stack([self._is_upside_down, self._is_mirrored])
        first = tf.where(is_from_end, given - first - sides, first)
        return tf.concat([self.swapped(first), self.swapped(sides)], axis=0)

    def upright(self, pixels: tf.Tensor) -> tf.Tensor:
        """Return the upright image, (rows, cols, channels), from pixels as they are stored."""
        shape = pixels.shape
        for is_so, turned in (
            (self._is_sideways, lambda image: tf.transpose(image, (1, 0, 2))),
            (self._is_mirrored, lambda image: tf.reverse(image, [1])),
            (self._is_upside_down, lambda image: tf.reverse(image, [0])),
        ):
            pixels = tf.cond(is_so, lambda t=turned, p=pixels: t(p), lambda p=pixels: p)
        return tf.ensure_shape(pixels, (None, None, shape[-1]))
