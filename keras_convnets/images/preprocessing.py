"""The preprocessing of images, the same in training, evaluation and prediction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import checks, typed
from keras_convnets.images import cropping, decoding, preprocessing_words
from keras_convnets.images.cropping import Crop
from keras_convnets.images.resizing import (
    BRIGHTEST,
    KERNELS,
    coloured,
    cropped,
    cropped_as_pillow,
    scaled,
)

ORDERS = ("RGB", "BGR")
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
        channels: 1 (grey) or 3 (colour), into which images of the other kind are converted; or any
            other number, which all images must have.
        rows: the rows of the network's input.
        cols: the columns of the network's input.
        scale: the divisor of the pixels: 255 scales those of most files to the range 0 to 1.
        mean: the mean of each channel after scaling; empty means 0.
        std: the standard deviation of each channel after scaling; empty means 1.
        resize: how images of another size are resized. ``"stretch"`` resizes rows and columns to
            the size, ignoring the aspect ratio. ``"crop"`` scales the shorter side to 8/7 of the
            size and takes a centre crop, as in ImageNet evaluations. ``"none"`` leaves images of
            the right size unchanged; it scales any other until its shorter side fits, and takes a
            centre crop. All resizing is antialiased.
        shorter_side: for ``"crop"``, the size that the shorter side is scaled to, as weights that
            others have trained expect it: 256 or 232 for 224 x 224. The image and its crop then
            have the sizes and the place that torchvision and timm give them, and pixels that are
            integers are rounded as Pillow does.
        interpolation: ``"bilinear"`` or ``"bicubic"``; the latter is clipped to the range of
            pixels, 0 to 255.
        pixels: the least and the largest value of the pixels that it is for, such as (0, 255); by
            default what ``scale`` tells.
        order: ``"RGB"``, or ``"BGR"`` for a network that takes blue first, as in Caffe; then the
            means and standard deviations are in this order, too.

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

        As torchvision prepares images for its networks, but for the mean and standard deviation:

        >>> print(Preprocessing(3, 224, 224, resize="crop", shorter_side=256))
        3 x 224 x 224, shorter side resized to 256, centre-cropped, pixels divided by 255
    """

    channels: int
    rows: int
    cols: int
    scale: float = 255.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    resize: str = "none"
    shorter_side: int | None = None
    interpolation: str = "bilinear"
    pixels: tuple[float, float] | None = None
    order: str = "RGB"

    def __post_init__(self) -> None:
        typed.fields(self)
        for what in ("channels", "rows", "cols"):
            checks.positive_integer(what, getattr(self, what), "the network's input size")
        checks.positive_number("scale", self.scale, "what pixels are divided by, such as 255")
        checks.choice("resize", self.resize, RESIZES)
        checks.choice("interpolation", self.interpolation, KERNELS)
        checks.choice("order", self.order, ORDERS if self.channels == 3 else ORDERS[:1])
        self._check_shorter_side()
        self._check_pixels()
        self._set("mean", self.mean or (0.0,) * self.channels)
        self._set("std", self.std or (1.0,) * self.channels)
        if min(self.std) <= 0:
            raise ValueError(f"std: received {self.std}; expected numbers above 0.")

    def _check_shorter_side(self) -> None:
        side, least = self.shorter_side, max(self.rows, self.cols)
        if side is None:
            return
        checks.positive_integer("shorter_side", side, "the size of the shorter side, such as 256")
        if self.resize != "crop" or side < least:
            raise ValueError(
                f"shorter_side: received {side} with resize={self.resize!r}; expected at least "
                f"{least}, from which {self.rows} x {self.cols} are cropped, with resize='crop'."
            )

    def _check_pixels(self) -> None:
        if self.pixels is None:
            return
        low, high = map(float, self.pixels)
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(
                f"pixels: received {self.pixels}; expected the least and the largest value of a "
                "pixel, such as (0, 255)."
            )
        object.__setattr__(self, "pixels", (low, high))

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

    @property
    def crop_share(self) -> float:
        """The share of the resized shorter side that a centre crop keeps; 1 without a crop."""
        if self.resize != "crop":
            return 1.0
        return min(self.rows, self.cols) / self.scaled_side

    @property
    def scaled_side(self) -> int:
        """For ``"crop"``, the size that the shorter side is scaled to."""
        return self.shorter_side or round(self.rows * _MARGIN)

    def __call__(self, image: Any) -> tf.Tensor:
        """Preprocess an image, or a batch of images of one size.

        Args:
            image: raw pixels, (..., rows, cols, channels) with 1 to 4 channels, of which alpha is
                dropped, or with as many as the network takes.

        Returns:
            A float32 tensor, (..., rows, cols, channels).
        """
        image = tf.convert_to_tensor(image)
        if self._is_ready(image):
            return self._finished(tf.cast(coloured(image, self.channels), tf.float32))
        crop = self.crop_of(tf.shape(image)[-3:-1])
        return self._resized(image if crop is None else cropping.cut(image, crop.window), crop)

    def of_encoded(self, encoded: tf.Tensor, channels: int = 3, turns: bool = True) -> tf.Tensor:
        """Preprocess an image file of which only the pixels that are needed are decoded.

        Args:
            encoded: the bytes of the file, as `decoding.encoded` returns them.
            channels: the channels to decode.
            turns: whether it may have to be turned.

        Returns:
            The tensor that preprocessing the decoded image returns.
        """

        def window(given: tf.Tensor) -> tf.Tensor:
            crop = self.crop_of(given)
            return tf.concat([[0, 0], given], axis=0) if crop is None else crop.window

        image, given = decoding.part(encoded, window, channels, turns=turns)
        return self._resized(image, self.crop_of(given))

    def _is_ready(self, image: tf.Tensor) -> bool:
        """Return whether an image is known to have the size of the network's input."""
        return self.resize == "none" and tuple(image.shape[-3:-1]) == (self.rows, self.cols)

    def crop_of(self, given: tf.Tensor) -> Crop | None:
        """Return the crop of an image of some rows and columns, int32; ``None`` for all of it."""
        size = (self.rows, self.cols)
        if self.resize == "stretch":
            return None
        if self.shorter_side is not None:
            return cropping.of_shorter_side(given, size, self.shorter_side, self.interpolation)
        margin = _MARGIN if self.resize == "crop" else 1
        return cropping.fitting(given, size, margin, self.interpolation)

    def _resized(self, image: tf.Tensor, crop: Crop | None) -> tf.Tensor:
        """Return the network's input from the pixels in the window of a crop."""
        whole, size = image.dtype.is_integer, (self.rows, self.cols)
        image = coloured(image, self.channels)
        image = image if image.dtype == tf.uint8 else tf.cast(image, tf.float32)
        if crop is None:
            return self._finished(scaled(image, size, self.interpolation, BRIGHTEST))
        if self.shorter_side is not None:
            return self._finished(cropped_as_pillow(image, crop, self.interpolation, whole))

        def resized() -> tf.Tensor:
            return cropped(image, crop, self.interpolation, BRIGHTEST)

        if self.resize == "crop":
            return self._finished(resized())
        fits = tf.reduce_all(crop.given == size)
        return self._finished(tf.cond(fits, lambda: tf.cast(image, tf.float32), resized))

    def _finished(self, image: tf.Tensor) -> tf.Tensor:
        """Scale and normalise whole rows at a time, which is faster than over the few channels."""
        image = image[..., ::-1] if self.order == "BGR" else image
        rows = tf.reshape(image, (-1, self.cols * self.channels))
        mean = np.array(self.mean * self.cols, np.float32)
        std = np.array(self.std * self.cols, np.float32)
        image = tf.reshape((rows / self.scale - mean) / std, tf.shape(image))
        return tf.ensure_shape(image, (*image.shape[:-3], self.rows, self.cols, self.channels))

    def stretching(self) -> Preprocessing:
        """Return the preprocessing for images that are already cropped: it only resizes them."""
        return dataclasses.replace(self, resize="stretch", shorter_side=None)

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
        return preprocessing_words.to_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing from the dictionary of ``to_config``.

        Those of earlier versions have fewer keys.

        Raises:
            ValueError: a key is missing or unknown, or a value out of range.
        """
        return cls(**preprocessing_words.arguments_in(config, cls))

    def __str__(self) -> str:
        return preprocessing_words.words(self)
