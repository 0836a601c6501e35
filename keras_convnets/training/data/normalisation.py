"""The mean and standard deviation of each channel of the training images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_convnets.images.batches import one_by_one, untuned
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing

SAMPLE = 2000
_TOGETHER = 2**20  # values at once: pixels times channels
_LEAST_STD = 1e-6


def normalised(plain: Preprocessing, images: Images, seed: int) -> Preprocessing:
    """Return ``plain`` with the mean and standard deviation of each channel of these images.

    All images count if they are in memory and need no resizing; otherwise a sample of at most
    2,000, drawn with the seed.
    """
    count, totals, squares = 0, np.zeros(plain.channels), np.zeros(plain.channels)
    for batch in _batches(plain, images, seed):
        rows = batch.reshape(-1, plain.cols * plain.channels).astype(np.float64)
        count += len(rows) * plain.cols
        totals += rows.sum(0).reshape(-1, plain.channels).sum(0)
        squares += np.square(rows, out=rows).sum(0).reshape(-1, plain.channels).sum(0)
    mean = totals / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    std = np.where(std < _LEAST_STD, 1, std)  # a constant channel stays 0
    return dataclasses.replace(plain, mean=tuple(mean), std=tuple(std))


def _batches(plain: Preprocessing, images: Images, seed: int) -> Iterator[np.ndarray]:
    if images.array is not None and plain.resize == "none":
        together = 1 + _TOGETHER // images.array[0].size
        for start in range(0, len(images), together):
            yield plain(images.array[start : start + together]).numpy()
        return
    drawn = np.random.default_rng(seed).permutation(len(images))[:SAMPLE]
    rows = tf.data.Dataset.from_tensor_slices((np.sort(drawn),))
    each = untuned(one_by_one(images, rows, plain.of_encoded, plain))
    yield from (image[np.newaxis] for (image,) in each.as_numpy_iterator())
