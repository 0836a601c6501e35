"""RandAugment's operations on the levels of pixels: posterize, solarize, autocontrast, equalize."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_convnets.training.data.changes.boxes import by_rows

_LEVELS = 256


def posterize(images: tf.Tensor, bits: int) -> tf.Tensor:
    """Return images with the first bits of their 8-bit pixels alone."""
    step = 2.0 ** (8 - bits)
    return tf.floor(_levels(images) / step) * (step / (_LEVELS - 1))


def solarize(images: tf.Tensor, threshold: float) -> tf.Tensor:
    """Return images whose pixels from a threshold on are inverted."""
    return tf.where(images >= threshold, 1 - images, images)


def autocontrast(images: tf.Tensor) -> tf.Tensor:
    """Return images whose channels go from 0 to 1 each; constant ones stay."""
    rows = by_rows(images)
    low, high = (
        _of_channels(extreme, rows, images.shape) for extreme in (tf.reduce_min, tf.reduce_max)
    )
    stretched = (rows - low) / tf.where(high > low, high - low, 1.0)
    return tf.reshape(tf.where(high > low, stretched, rows), tf.shape(images))


def _of_channels(extreme: Callable[..., tf.Tensor], rows: tf.Tensor, shape: Any) -> tf.Tensor:
    """Return the least or the largest value of each channel, for each value of a row."""
    _, _, cols, channels = shape
    columns = tf.reshape(extreme(rows, axis=1), (-1, cols, channels))
    return tf.tile(extreme(columns, axis=1)[:, tf.newaxis], (1, 1, cols))


def equalize(images: tf.Tensor) -> tf.Tensor:
    """Return images of which each channel has all levels about as often, as Pillow does it."""
    _, rows, cols, channels = images.shape
    histograms = tf.shape(images)[0] * channels
    firsts = tf.reshape(tf.range(histograms) * _LEVELS, (-1, 1, 1, channels))
    places = firsts + tf.cast(_levels(images), tf.int32)
    length = histograms * _LEVELS
    counts = tf.math.bincount(tf.reshape(places, (-1,)), minlength=length, maxlength=length)
    counts = tf.reshape(counts, (-1, _LEVELS))
    last = tf.reduce_max(tf.where(counts > 0, tf.range(_LEVELS), 0), axis=1)
    steps = (rows * cols - tf.gather(counts, last, batch_dims=1)) // (_LEVELS - 1)
    steps = steps[:, tf.newaxis]
    before = tf.cumsum(counts, axis=1, exclusive=True) + steps // 2
    table = tf.clip_by_value(before // tf.maximum(steps, 1), 0, _LEVELS - 1)
    table = tf.where(steps > 0, table, tf.range(_LEVELS))
    found = tf.gather(tf.reshape(table, (-1,)), places)
    return tf.cast(found, tf.float32) / (_LEVELS - 1)


def _levels(images: tf.Tensor) -> tf.Tensor:
    return tf.round(images * (_LEVELS - 1))
