"""The images to classify, read and prepared batch by batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes
from keras_convnets.images.doubts import doubt_of, for_image
from keras_convnets.images.pixel_range import NOTHING, Seen, both, seen_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.batching import Prepared, prepared_batches
from keras_convnets.inference.compiled import Kept
from keras_convnets.inference.given import UnreadableError, pixels_of


class ReadImages:
    """Prepares images batch by batch, and records what became of them.

    Args:
        is_first: whether the model takes channels first.
        refuses: whether an image that cannot be read is recorded instead of raising an error.

    Attributes:
        names: the names of the images read.
        refused: lines about the images that could not be read.
        skipped: lines about what is no image in the folders.
        doubtful: warnings about images that were read.
    """

    def __init__(self, is_first: bool, refuses: bool = False) -> None:
        self._is_first = is_first
        self._refuses = refuses
        self.names: list[str] = []
        self.refused: list[str] = []
        self.skipped: list[str] = []
        self.doubtful: list[str] = []

    def batches(
        self, images: Any, preprocessing: Preprocessing, size: int
    ) -> Iterator[tf.Tensor] | None:
        """Return batches in the data format of the model; ``None`` if no image can be read."""
        each = self._prepared(images, preprocessing)
        first = next(each, None)
        if first is None:
            return None
        return prepared_batches(itertools.chain([first], each), self._is_first, size)

    def _prepared(self, images: Any, preprocessing: Preprocessing) -> Iterator[Prepared]:
        together = NOTHING
        for name, read in pixels_of(images, preprocessing, self.skipped.append):
            try:
                pixels = read()
                seen = seen_of(pixels, 1)
                fitted, doubt = _for_image(name, seen, pixels.dtype == np.uint8, preprocessing)
            except UnreadableError as error:
                if not self._refuses:
                    raise ValueError(str(error)) from error
                self.refused.append(str(error))
                continue
            if doubt is None:
                together = both(together, seen)
            else:
                self.doubtful.append(doubt)
            self.names.append(name)
            yield pixels, fitted
        if together.images and (doubt := doubt_of(together, preprocessing)) is not None:
            self.doubtful.append(doubt)


def _for_image(
    name: str, seen: Seen, are_bytes: bool, preprocessing: Preprocessing
) -> tuple[Preprocessing, str | None]:
    try:
        return for_image(name, seen, are_bytes, preprocessing)
    except ValueError as error:  # it was read, but pixels of this range cannot be used
        raise UnreadableError(str(error)) from error


def takes_channels_first(of_model: Kept) -> bool:
    """Return whether a model takes channels first."""
    return of_model.get("format", axes.format_of) == "channels_first"
