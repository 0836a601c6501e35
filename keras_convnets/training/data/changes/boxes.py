"""Boxes of pixels, each as its first row and column and those after its last."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def boxes_within(sides: np.ndarray, size: tuple[int, int], places: np.ndarray) -> np.ndarray:
    """Return boxes anywhere in an image.

    Args:
        sides: the rows and columns of each box, (boxes, 2).
        size: the rows and columns of the image.
        places: where each box is among all places, (boxes, 2), in [0, 1).

    Returns:
        (boxes, 4), int32; those of boxes that are larger than the image mean nothing.
    """
    starts = (places * (np.array(size) - sides + 1)).astype(np.int32)
    return np.concatenate([starts, starts + sides], axis=1).astype(np.int32)


def box_around(centres: np.ndarray, shares: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return boxes around their centres, less what is outside the image, as CutMix cuts them.

    Args:
        centres: the centre of each box, (boxes, 2), as shares of rows and columns in [0, 1).
        shares: the share of the image's rows and columns that a box has.
        size: the rows and columns of the image.

    Returns:
        (boxes, 4), int32.
    """
    middles = (centres * size).astype(np.int32)
    sides = (shares[:, np.newaxis] * size).astype(np.int32)
    starts = middles - sides // 2
    ends = np.concatenate([starts, starts + sides], axis=1)
    return np.clip(ends, 0, [*size, *size]).astype(np.int32)


def inside(boxes: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Return which values of images are in a box each, by whole rows: see `by_rows`."""

    def between(first: tf.Tensor, end: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        return (numbers >= first[:, tf.newaxis]) & (numbers < end[:, tf.newaxis])

    _, rows, cols, channels = images.shape
    top, left, bottom, right = tf.unstack(boxes, axis=1)
    in_rows = between(top, bottom, tf.range(rows))
    in_cols = between(left, right, tf.range(cols * channels) // channels)
    return in_rows[:, :, tf.newaxis] & in_cols[:, tf.newaxis]


def by_rows(images: tf.Tensor) -> tf.Tensor:
    """Return images as (batch, rows, cols x channels), which is faster than over few channels."""
    _, rows, cols, channels = images.shape
    return tf.reshape(images, (-1, rows, cols * channels))
