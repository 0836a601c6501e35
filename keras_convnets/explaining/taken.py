"""Images as a model takes them, batch by batch, and as a person sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import sizes
from keras_convnets.image_config import NAMES
from keras_convnets.images.pixel_range import BYTES, range_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.classifier import check_takes_floats
from keras_convnets.inference.compiled import kept
from keras_convnets.inference.fits import check_takes
from keras_convnets.inference.given import as_array, is_array
from keras_convnets.inference.prepared import (
    Said,
    check_images,
    preprocessing_for,
    told_preprocessing,
)
from keras_convnets.inference.read_images import ReadImages, takes_channels_first

_BEYOND = 4.0  # times the range of prepared images, that others may span


class TakenImages:
    """Images for a model.

    A batch of floats is taken as it is, as ``model.predict`` takes it; anything else is prepared as
    `classify` prepares it.

    Args:
        model: a classifier with one output.
        images: the images.
        preprocessing: how they are prepared, if it is said.
        size: the images of a batch.

    Raises:
        ValueError: these are no images for the model, or nobody says how they are prepared.
    """

    def __init__(self, model: Any, images: Any, preprocessing: Said, size: int) -> None:
        check_takes_floats(model)
        self._model, self._images, self._size = model, images, size
        self._read = ReadImages(takes_channels_first(kept(model)))
        self._is_ready = preprocessing is None and _is_batch_of_floats(images)
        told = told_preprocessing(model) if preprocessing is None else None
        if preprocessing is not None:
            told = preprocessing_for(model, preprocessing)
            check_takes(
                model,
                told.image_shape,
                "as the preprocessing makes them",
                "Take the preprocessing of the model's own run.",
            )
            check_images(model, told)
        self.preprocessing: Preprocessing | None = told
        self._count = 0

    @property
    def names(self) -> list[str]:
        """The names of the images that were taken."""
        return self._read.names or [f"image {number}" for number in range(self._count)]

    @property
    def notes(self) -> list[str]:
        """Lines about images that are doubtful, and what was left out of folders."""
        return [*self._read.doubtful, *(f"left out: {line}" for line in self._read.skipped)]

    def batches(self) -> Iterator[np.ndarray]:
        """Yield the images, float32, in the data format of the model."""
        if self._is_ready:
            yield from self._ready()
            return
        if self.preprocessing is None:
            raise ValueError(
                f"preprocessing: received none, and {self._model.name} does not know how its "
                f"images are prepared; expected one of {', '.join(map(repr, NAMES))}, or a "
                "Preprocessing. Pass it, or a batch of floats that are as the network takes them."
            )
        for batch in self._read.batches(self._images, self.preprocessing, self._size) or ():
            yield np.asarray(batch, np.float32)

    def _ready(self) -> Iterator[np.ndarray]:
        batch, takes = as_array("images", self._images), self._model.inputs[0].shape
        pairs = zip(takes, batch.shape, strict=True)
        if not all(size in (None, has) for size, has in pairs) or 0 in batch.shape[1:]:
            raise ValueError(
                f"images: received {batch.dtype} of {sizes(batch.shape)}; expected "
                f"{sizes(tuple(takes))}, as {self._model.name} takes them. Pass images of that "
                "size, or files or uint8, which are resized."
            )
        if not np.isfinite(batch.astype(np.float32)).all():
            raise ValueError(
                "images: received NaN or infinity; expected numbers. Look for them in the images."
            )
        self._check_range(batch)
        self._count = len(batch)
        for start in range(0, len(batch), self._size):
            yield batch[start : start + self._size].astype(np.float32)

    def _check_range(self, batch: np.ndarray) -> None:
        """Refuse floats that are pixels, for a model that takes them normalised."""
        if self.preprocessing is None or not batch.size:
            return
        low, high = _span(self.preprocessing)
        least, most = float(batch.min()), float(batch.max())
        if most - least > _BEYOND * (high - low):
            raise ValueError(
                f"images: received floats from {least:.4g} to {most:.4g}; expected them as "
                f"{self._model.name} takes them, from {low:.4g} to {high:.4g}. Convert pixels to "
                "uint8, or pass the preprocessing, to have them prepared."
            )


def _is_batch_of_floats(images: Any) -> bool:
    kind = str(getattr(getattr(images, "dtype", None), "name", getattr(images, "dtype", "")))
    return is_array(images) and "float" in kind and len(np.shape(images)) == 4


def _span(preprocessing: Preprocessing) -> tuple[float, float]:
    """Return the least and the largest number that the network is given."""
    pixels = range_of(preprocessing) or BYTES
    scaled = np.array(pixels) / preprocessing.scale
    mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
    ends = (scaled - mean[:, np.newaxis]) / std[:, np.newaxis]
    return float(ends.min()), float(ends.max())


def pictures(batch: np.ndarray, is_first: bool, preprocessing: Preprocessing | None) -> np.ndarray:
    """Return images as a person sees them, uint8, `(images, rows, cols, 1 or 3)`.

    Where nobody says how they were prepared, each reaches from black to white.

    Args:
        batch: the images as the network takes them.
        is_first: whether their channels come first.
        preprocessing: how they were prepared, if it is known.
    """
    images = batch.transpose(0, 2, 3, 1) if is_first else batch
    if preprocessing is None:
        low = images.min(axis=(1, 2, 3), keepdims=True)
        span = np.ptp(images, axis=(1, 2, 3), keepdims=True)
        images = (images - low) / np.where(span > 0, span, 1)
    else:
        low_pixel, high_pixel = range_of(preprocessing) or BYTES
        images = images * np.array(preprocessing.std) + np.array(preprocessing.mean)
        images = images[..., ::-1] if preprocessing.order == "BGR" else images
        images = (images * preprocessing.scale - low_pixel) / (high_pixel - low_pixel)
    shown = images[..., :3] if images.shape[-1] >= 3 else images[..., :1]
    return np.rint(shown.clip(0, 1) * 255).astype(np.uint8)
