"""Labelled images, by number, wherever they are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Images:
    """Images and their labels, by number.

    Attributes:
        labels: the class of each image, int32, (images,); or, of images that may have several,
            0 or 1 for each class, (images, classes).
        read: from a number, a scalar int64 tensor, to that image's pixels, (rows, cols, channels);
            where there is an ``array``, from many numbers to a batch, too. It works within
            ``tf.data``.
        array: all the images, (images, rows, cols, channels), where they are of one size and in
            memory; else ``None``.
        describe: from a number to what the image is called, such as ``"rose/17.jpg"``.
    """

    labels: np.ndarray
    read: Callable[[Any], tf.Tensor]
    array: np.ndarray | None
    describe: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, numbers: np.ndarray) -> Images:
        """Return some of the images, by their numbers here, in that order."""

        def describe(number: int) -> str:
            return self.describe(int(numbers[number]))

        if self.array is not None:
            return from_array(self.array[numbers], self.labels[numbers], describe)
        table = on_cpu(numbers.astype(np.int64))
        return Images(self.labels[numbers], lambda number: self.read(table[number]), None, describe)


def from_array(array: np.ndarray, labels: np.ndarray, describe: Callable[[int], str]) -> Images:
    """Return images of one size that are in memory.

    Args:
        array: (images, rows, cols, channels).
        labels: the class of each image, or which classes it has.
        describe: from a number to what the image is called.
    """
    pixels = on_cpu(array)
    return Images(
        labels=_in_one_shape(labels),
        read=lambda numbers: tf.gather(pixels, numbers),
        array=np.asarray(memoryview(pixels)),  # the same memory, not a copy
        describe=describe,
    )


def from_arrays(
    arrays: list[np.ndarray], labels: np.ndarray, describe: Callable[[int], str]
) -> Images:
    """Return images of several sizes that are in memory; the list is emptied.

    Args:
        arrays: (rows, cols, channels) each, with as many channels.
        labels: the class of each image, or which classes it has.
        describe: from a number to what the image is called.
    """
    if len({array.shape for array in arrays}) == 1:
        array = np.stack(arrays)
        arrays.clear()
        return from_array(array, labels, describe)
    channels = arrays[0].shape[-1]
    shapes = on_cpu(np.array([array.shape for array in arrays], np.int64))
    ends = np.cumsum([array.size for array in arrays])
    starts = on_cpu(np.concatenate([[0], ends[:-1]]))
    packed = np.empty(ends[-1], arrays[0].dtype)
    for end in reversed(ends):
        array = arrays.pop().reshape(-1)
        packed[end - array.size : end] = array
    pixels = on_cpu(packed)

    def read(number: Any) -> tf.Tensor:
        shape = shapes[number]
        start = starts[number]
        image = tf.reshape(pixels[start : start + tf.reduce_prod(shape)], shape)
        return tf.ensure_shape(image, (None, None, channels))

    return Images(_in_one_shape(labels), read, None, describe)


def _in_one_shape(labels: Any) -> np.ndarray:
    """Return labels as integers; a column of them, as some data sets have it, as a row."""
    labels = np.asarray(labels, np.int32)
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def on_cpu(array: np.ndarray) -> tf.Tensor:
    """Return a tensor where ``tf.data`` works, whatever devices there are."""
    with tf.device("CPU:0"):
        return tf.constant(array)
