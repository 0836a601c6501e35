"""Labelled images, accessed by index, in memory or in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Encoded:
    """Images in files, not yet decoded.

    Attributes:
        read: a function from many indices, an int64 vector, to the bytes of the files, as
            `decoding.encoded` returns them. It works inside ``tf.data``.
        channels: the channels to decode.
        turns: whether any of them may have to be turned upright where it is decoded. If not,
            ``read`` returns each of them upright.
    """

    read: Callable[[Any], tf.Tensor]
    channels: int = 3
    turns: bool = True


@dataclasses.dataclass(frozen=True)
class Images:
    """Images and their labels, accessed by index.

    Attributes:
        labels: the class of each image, int32, (images,); for multi-label images, 0 or 1 for each
            class, (images, classes).
        read: a function from an index, a scalar int64 tensor, to that image's pixels,
            (rows, cols, channels); if there is an ``array``, also from many indices to a batch. It
            works inside ``tf.data``.
        array: all images, (images, rows, cols, channels), if they have one size and are in memory;
            otherwise ``None``.
        describe: a function from an index to the name of the image, such as ``"rose/17.jpg"``.
        encoded: the files, if the images are decoded when they are read; otherwise ``None``.
    """

    labels: np.ndarray
    read: Callable[[Any], tf.Tensor]
    array: np.ndarray | None
    describe: Callable[[int], str]
    encoded: Encoded | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, numbers: np.ndarray) -> Images:
        """Return a subset of the images, by index, in the order given."""

        def describe(number: int) -> str:
            return self.describe(int(numbers[number]))

        if self.array is not None:
            return from_array(self.array[numbers], self.labels[numbers], describe)
        table, encoded = on_cpu(numbers.astype(np.int64)), self.encoded
        if encoded is not None:
            read_many = encoded.read
            encoded = dataclasses.replace(
                encoded, read=lambda many: read_many(tf.gather(table, many))
            )
        return Images(
            self.labels[numbers],
            lambda number: self.read(table[number]),
            None,
            describe,
            encoded,
        )


def from_array(array: np.ndarray, labels: np.ndarray, describe: Callable[[int], str]) -> Images:
    """Return images of one size that are in memory.

    Args:
        array: the pixels, (images, rows, cols, channels).
        labels: the class of each image, or 0 or 1 for each class.
        describe: a function from an index to the name of the image.
    """
    pixels = on_cpu(array)
    return Images(
        labels=_in_one_shape(labels),
        read=lambda numbers: tf.gather(pixels, numbers),
        array=np.asarray(memoryview(pixels)),  # shares the memory, no copy
        describe=describe,
    )


def from_arrays(
    arrays: list[np.ndarray], labels: np.ndarray, describe: Callable[[int], str]
) -> Images:
    """Return images of several sizes that are in memory; this empties the list.

    Args:
        arrays: the pixels of each image, (rows, cols, channels), all with the same channels.
        labels: the class of each image, or 0 or 1 for each class.
        describe: a function from an index to the name of the image.
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
    """Return labels as integers; flatten a column of labels, as some data sets have."""
    labels = np.asarray(labels, np.int32)
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def on_cpu(array: np.ndarray) -> tf.Tensor:
    """Return the array as a tensor on the CPU, where ``tf.data`` runs."""
    with tf.device("CPU:0"):
        return tf.constant(array)
