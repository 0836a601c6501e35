"""The preprocessing of images, the same in training, evaluation and prediction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import checks, typed
from keras_convnets.images import decoding

RESIZES = ("none", "stretch", "crop")
# ImageNet evaluations scale the shorter side to 256 before a 224 x 224 centre crop.
_MARGIN = 8 / 7
_DIGITS = 6


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """The preprocessing from the pixels of an image to the network's input.

    The pixels are divided by ``scale``, and the image is converted to the channels and size of the
    network's input. Then each channel is normalised by its mean and standard deviation.

    Attributes:
        channels: 1 (grey) or 3 (colour); images of the other kind are converted.
        rows: the rows of the network's input.
        cols: the columns of the network's input.
        scale: the divisor of the pixels: 255 scales those of most files to the range 0 to 1.
        mean: the mean of each channel after scaling; empty means 0.
        std: the standard deviation of each channel after scaling; empty means 1.
        resize: how images of another size are resized. ``"stretch"`` resizes rows and columns to
            the size, ignoring the aspect ratio. ``"crop"`` scales the shorter side to 8/7 of the
            size and takes a centre crop, as in ImageNet evaluations. ``"none"`` leaves images of
            the right size unchanged; it scales any other until its shorter side fits, and takes a
            centre crop. All resizing is bilinear and antialiased.

    Raises:
        ValueError: a value is out of range.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets.images.preprocessing import Preprocessing
        >>> preprocessing = Preprocessing(3, 32, 32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
        >>> print(preprocessing)
        3 x 32 x 32, pixels divided by 255, minus (0.5, 0.5, 0.5), divided by (0.25, 0.25, 0.25)
        >>> preprocessing(np.full((32, 32, 1), 255, "uint8")).shape
        TensorShape([32, 32, 3])
        >>> Preprocessing.from_config(preprocessing.to_config()) == preprocessing
        True
    """

    channels: int
    rows: int
    cols: int
    scale: float = 255.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    resize: str = "none"

    def __post_init__(self) -> None:
        typed.fields(self)
        checks.choice("channels", self.channels, (1, 3))
        for what in ("rows", "cols"):
            checks.positive_integer(what, getattr(self, what), "the network's input size")
        checks.positive_number("scale", self.scale, "what pixels are divided by, such as 255")
        checks.choice("resize", self.resize, RESIZES)
        self._set("mean", self.mean or (0.0,) * self.channels)
        self._set("std", self.std or (1.0,) * self.channels)
        if min(self.std) <= 0:
            raise ValueError(f"std: received {self.std}; expected numbers above 0.")

    def _set(self, what: str, values: Any) -> None:
        """Store numbers that survive a round trip through JSON unchanged."""
        numbers = tuple(round(float(value), _DIGITS) for value in values)
        if len(numbers) != self.channels or not np.isfinite(numbers).all():
            raise ValueError(
                f"{what}: received {values!r}; expected {self.channels} numbers, one a channel."
            )
        object.__setattr__(self, what, numbers)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(channels, rows, cols)`` of the network's input."""
        return self.channels, self.rows, self.cols

    def __call__(self, image: Any) -> tf.Tensor:
        """Preprocess an image, or a batch of images of one size.

        Args:
            image: raw pixels, (..., rows, cols, channels) with 1 to 4 channels. Alpha is dropped.

        Returns:
            A float32 tensor, (..., rows, cols, channels).
        """
        image = tf.cast(tf.convert_to_tensor(image), tf.float32)
        image = self._resized(self._coloured(image) / self.scale)
        image = self._normalised(image)
        return tf.ensure_shape(image, (*image.shape[:-3], self.rows, self.cols, self.channels))

    def _normalised(self, image: tf.Tensor) -> tf.Tensor:
        """Normalise whole rows at a time, which is faster than over the few channels."""
        rows = tf.reshape(image, (-1, self.cols * self.channels))
        mean = np.array(self.mean * self.cols, np.float32)
        std = np.array(self.std * self.cols, np.float32)
        rows = (rows - mean) / std
        return tf.reshape(rows, tf.shape(image))

    def _coloured(self, image: tf.Tensor) -> tf.Tensor:
        has = image.shape[-1]
        colour = image[..., :3] if has >= 3 else image[..., :1]
        if self.channels == 1 and has >= 3:
            return _grey(colour)
        if self.channels == 3 and has < 3:
            return tf.image.grayscale_to_rgb(colour)
        return colour

    def _resized(self, image: tf.Tensor) -> tf.Tensor:
        size = (self.rows, self.cols)
        if self.resize == "stretch":
            return _resized(image, size)
        if self.resize == "crop":
            return self._middle(image, _MARGIN)
        if tuple(image.shape[-3:-1]) == size:
            return image
        fits = tf.reduce_all(tf.shape(image)[-3:-1] == size)
        return tf.cond(fits, lambda: image, lambda: self._middle(image, 1))

    def _middle(self, image: tf.Tensor, margin: float) -> tf.Tensor:
        """Return a centre crop of the image, scaled to fit ``margin`` times the target size."""
        target = np.round(np.array([self.rows, self.cols]) * margin)
        given = tf.cast(tf.shape(image)[-3:-1], tf.float32)
        factor = tf.reduce_max(tf.cast(target, tf.float32) / given)
        sizes = tf.maximum(tf.cast(tf.round(given * factor), tf.int32), tf.cast(target, tf.int32))
        image = _resized(image, sizes)
        top, left = tf.unstack((sizes - (self.rows, self.cols)) // 2)
        return image[..., top : top + self.rows, left : left + self.cols, :]

    def stretching(self) -> Preprocessing:
        """Return the preprocessing for images that are already cropped: it only resizes them."""
        return dataclasses.replace(self, resize="stretch")

    def read_file(self, path: Path | str) -> np.ndarray:
        """Read and preprocess an image file.

        Returns:
            A float32 array, (rows, cols, channels).

        Raises:
            ValueError: the file cannot be read or is not an image.
        """
        return self(decoding.read_image(path)).numpy()

    def to_config(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary for ``from_config``."""
        values = dataclasses.asdict(self)
        return values | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing from the dictionary of ``to_config``."""
        values = dict(config)
        return cls(**values | {"mean": tuple(values["mean"]), "std": tuple(values["std"])})

    def __str__(self) -> str:
        words = {
            "none": "",
            "stretch": ", resized",
            "crop": f", shorter side resized to {round(self.rows * _MARGIN)}, centre-cropped",
        }
        text = " x ".join(map(str, self.image_shape)) + words[self.resize]
        text += f", pixels divided by {self.scale:g}"
        if any(self.mean):
            text += f", minus {self.mean}"
        if set(self.std) != {1.0}:
            text += f", divided by {self.std}"
        return text


def _resized(image: tf.Tensor, size: Any) -> tf.Tensor:
    return tf.image.resize(image, size, antialias=True)


def _grey(colour: tf.Tensor) -> tf.Tensor:
    """Convert a colour image to grey; an image that is already grey stays bit for bit the same.

    ``tf.image.rgb_to_grayscale`` would darken it, because its weights do not sum to 1.
    """
    red, green, blue = (colour[..., channel : channel + 1] for channel in range(3))
    return red + 0.587 * (green - red) + 0.114 * (blue - red)
