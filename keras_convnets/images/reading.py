"""Reading many images in parallel, before training or to find an unreadable one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import tensorflow as tf

from keras_convnets.images import decoding
from keras_convnets.images.labelled import Images

MEMORY = 2**30  # bytes of images kept in memory, for training and test data each
_TOGETHER = 256


def attempts(read: Callable[[Any], tf.Tensor], numbers: Iterable[int]) -> Iterator[Any]:
    """Yield, in order, each image or the error raised when reading it.

    Args:
        read: a function like ``Images.read``.
        numbers: the indices of the images.
    """

    def attempt(number: int) -> Any:
        try:
            with tf.device("CPU:0"):
                return read(tf.constant(number, tf.int64)).numpy()
        except tf.errors.OpError as error:
            return error

    left = iter(numbers)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # A few at a time, since they may not all fit in memory.
        while some := list(islice(left, _TOGETHER)):
            yield from pool.map(attempt, some)


class Kept:
    """Items that are kept as long as all of them fit in memory.

    Attributes:
        items: the items in the order added; ``None`` once they no longer fit.
    """

    def __init__(self) -> None:
        self.items: list[Any] | None = []
        self._room = MEMORY

    def add(self, item: Any, size: int) -> None:
        """Keep an item of ``size`` bytes, or drop all items if it does not fit."""
        self._room -= size
        if self._room < 0:
            self.items = None
        if self.items is not None:
            self.items.append(item)


def unreadable(images: Images, numbers: Iterable[int] | None = None) -> str | None:
    """Return the name of the first unreadable image and the reason; ``None`` if all are readable.

    Args:
        images: the images to check.
        numbers: the indices of the images to try; by default all that are not in memory.

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
