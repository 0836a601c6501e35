"""Reading many images in parallel: ahead of training, or to find the one that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import tensorflow as tf

from keras_convnets.images import decoding
from keras_convnets.images.labelled import Images

MEMORY = 2**30  # bytes of images that are kept, for training and for testing each
_TOGETHER = 256


def attempts(read: Callable[[Any], tf.Tensor], numbers: Iterable[int]) -> Iterator[Any]:
    """Yield each image that is read, or the error that came instead, in order.

    Args:
        read: as ``Images.read``.
        numbers: of the images.
    """

    def attempt(number: int) -> Any:
        try:
            with tf.device("CPU:0"):
                return read(tf.constant(number, tf.int64)).numpy()
        except tf.errors.OpError as error:
            return error

    left = iter(numbers)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # A few at a time, since all of them need not fit into memory.
        while some := list(islice(left, _TOGETHER)):
            yield from pool.map(attempt, some)


class Kept:
    """What is kept as long as all of it fits into memory.

    Attributes:
        items: in the order that they were added; ``None`` once they have become too many.
    """

    def __init__(self) -> None:
        self.items: list[Any] | None = []
        self._room = MEMORY

    def add(self, item: Any, size: int) -> None:
        """Keep an item of so many bytes, or give all of them up."""
        self._room -= size
        if self._room < 0:
            self.items = None
        if self.items is not None:
            self.items.append(item)


def unreadable(images: Images, numbers: Iterable[int] | None = None) -> str | None:
    """Name the first image that cannot be read, and why; ``None`` where all can.

    Args:
        images: to look through.
        numbers: of the images to try; by default all of those that are not in memory.

    Examples:
        >>> from keras_convnets.training import load_data
        >>> from keras_convnets.images.reading import unreadable
        >>> unreadable(load_data("digits").train)
    """
    if images.array is not None:
        return None
    tried = range(len(images)) if numbers is None else list(numbers)
    for number, found in zip(tried, attempts(images.read, tried), strict=True):
        if isinstance(found, tf.errors.OpError):
            return f"{images.describe(number)}: {decoding.reason(found)}"
    return None
