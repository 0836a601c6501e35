"""From a network's input back to pixels from 0 (black) to 1, and again to the input."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_convnets.images.labelled import Images
from keras_convnets.images.pixel_range import BYTES, range_of, seen_in, usual_range
from keras_convnets.images.preprocessing import Preprocessing


@dataclasses.dataclass(frozen=True)
class Pixels:
    """What a preprocessing does to a pixel, from which it can be undone.

    Attributes:
        preprocessing: the preprocessing.
        low: the value of a black pixel before it.
        high: the value of a white pixel before it.
    """

    preprocessing: Preprocessing
    low: float
    high: float

    def of_input(self, images: tf.Tensor) -> tf.Tensor:
        """Return the pixels of preprocessed images, from 0 to 1, (..., rows, cols, channels)."""
        factors, black = self._line()
        return tf.clip_by_value(self._by_rows(images, lambda rows: rows * factors + black), 0, 1)

    def to_input(self, pixels: tf.Tensor) -> tf.Tensor:
        """Return the preprocessed images of pixels from 0 to 1."""
        factors, black = self._line()
        return self._by_rows(pixels, lambda rows: (rows - black) / factors)

    @property
    def mean(self) -> tuple[float, ...]:
        """The pixel that becomes 0 in each channel, from 0 to 1."""
        return tuple(self._line()[1][: self.preprocessing.channels].clip(0, 1).tolist())

    def _line(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the contrast of the pixels and the pixel for 0, for each value of a row."""
        made = self.preprocessing
        std, mean = (np.array(values, np.float64) * made.scale for values in (made.std, made.mean))
        spread = self.high - self.low
        line = (std / spread, (mean - self.low) / spread)
        factors, black = (np.tile(values, made.cols).astype(np.float32) for values in line)
        return factors, black

    def _by_rows(self, images: tf.Tensor, function: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        """Apply a function to whole rows at a time, which is faster than over the few channels."""
        rows = tf.reshape(images, (-1, self.preprocessing.cols * self.preprocessing.channels))
        return tf.ensure_shape(tf.reshape(function(rows), tf.shape(images)), images.shape)


def pixels_of(images: Images, preprocessing: Preprocessing) -> Pixels:
    """Return how the pixels of images can be found again.

    Their range is that which the preprocessing tells, unless images in memory go beyond it, as
    those of earlier runs may. Pixels of files are bytes.

    Args:
        images: the images.
        preprocessing: their preprocessing.
    """
    found = range_of(preprocessing)
    if images.array is not None:
        seen = seen_in(images)
        if found is None or seen.low < found.low or seen.high > found.high:
            found = usual_range(seen)
    return Pixels(preprocessing, *(found or BYTES))
