"""Images to compare or to calibrate with, whatever they come as: accessed by index."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.analysis.tables import sizes
from keras_convnets.images.doubts import for_image
from keras_convnets.images.labelled import Images
from keras_convnets.images.pixel_range import seen_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.given import UnreadableError, as_array, is_array, pixels_of
from keras_convnets.inference.prepared import check_pixels
from keras_convnets.received import integer, shown

Sample = tuple[np.ndarray, Preprocessing | None]
"""The pixels of an image and how they are prepared; ``None`` if they are prepared."""


@dataclasses.dataclass(frozen=True)
class Samples:
    """Some images.

    Attributes:
        count: how many there are.
        words: what they are: "the 360 test images of digits".
        at: a function from an index to that image.
        name_of: a function from an index to the name of that image.
        labels: the class of each image, ``(images,)``; for multi-label images, 0 or 1 for each
            class; ``None`` if it is not known.
        is_synthetic: whether they stand in for images that nobody gave.
        notes: what has to be said of them, in lines.
    """

    count: int
    words: str
    at: Callable[[int], Sample]
    name_of: Callable[[int], str]
    labels: np.ndarray | None = None
    is_synthetic: bool = False
    notes: tuple[str, ...] = ()

    def some(self, most: int) -> Samples:
        """Return at most so many of the images, evenly spread over all: data may be sorted."""
        if self.count <= most:
            return self
        numbers = np.linspace(0, self.count - 1, most).round().astype(int)
        return dataclasses.replace(
            self,
            count=most,
            words=f"{most:,} of {self.words}",
            at=lambda number: self.at(int(numbers[number])),
            name_of=lambda number: self.name_of(int(numbers[number])),
            labels=None if self.labels is None else self.labels[numbers],
        )


def samples_of(
    what: str, given: Any, preprocessing: Preprocessing | None, input_shape: tuple[Any, ...]
) -> Samples:
    """Return images that were given.

    Args:
        what: the name of the argument, for errors.
        given: images as for `classify`, images with labels in a tuple, `Images`, or what
            ``load_images`` of a run returns.
        preprocessing: that of the images; ``None`` if it is not known, for arrays that are already
            as the network takes them.
        input_shape: the shape of the network's input, with the batch.

    Raises:
        ValueError: something is no image or cannot be read, or the labels are not those of the
            images.
    """
    try:
        if isinstance(given, Samples):
            return given
        if isinstance(getattr(given, "images", None), Images):
            found = _labelled(given.images, given.preprocessing, str(given))
            return dataclasses.replace(found, notes=tuple(given.words))
        if isinstance(given, Images):
            if preprocessing is None:
                raise ValueError(
                    "images: received labelled images, and the model does not know how its images "
                    "are prepared; expected that, too. Say it by --preprocessing (preprocessing)."
                )
            check_pixels(given, preprocessing)
            return _labelled(given, preprocessing, f"the {len(given):,} images given")
        images, labels = given if _has_labels(given) else (given, None)
        found = (
            _prepared(images, input_shape)
            if preprocessing is None
            else _of_pixels(images, preprocessing)
        )
        return found if labels is None else _with_labels(found, labels)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def _has_labels(given: Any) -> bool:
    """Return whether a value is a pair of images and their labels, not of two images."""
    if not isinstance(given, tuple) or len(given) != 2 or isinstance(given[1], str | os.PathLike):
        return False
    labels = given[1]
    if is_array(labels):
        return np.ndim(labels) in (1, 2) and np.asarray(labels).dtype.kind in "iu"
    return isinstance(labels, list | tuple) and all(integer(label) is not None for label in labels)


def _labelled(images: Images, preprocessing: Preprocessing, words: str) -> Samples:
    if not len(images):
        raise ValueError("images: received none; expected at least one. Name data that have some.")

    def at(number: int) -> Sample:
        if images.array is not None:
            return images.array[number], preprocessing
        try:
            return images.read(tf.constant(number, tf.int64)).numpy(), preprocessing
        except tf.errors.OpError as error:
            raise ValueError(
                f"cannot read {images.describe(number)}. Mend it or take it away."
            ) from error

    return Samples(len(images), words, at, images.describe, images.labels)


def _of_pixels(images: Any, preprocessing: Preprocessing) -> Samples:
    """Return images that are read now, so that what cannot be read is refused before any work."""
    skipped: list[str] = []
    names, readers, doubts = [], [], []
    if isinstance(images, Iterable) and not hasattr(images, "__len__"):
        images = images if hasattr(images, "read") or is_array(images) else list(images)
    for name, read in pixels_of(images, preprocessing, skipped.append):
        try:
            pixels = read()
            _, doubt = _fitted(name, pixels, preprocessing)
        except UnreadableError as error:
            raise ValueError(str(error)) from error
        names.append(name)
        readers.append(read if os.path.isfile(name) else lambda kept=pixels: kept)
        doubts += [doubt] if doubt else []
    if not names:
        raise ValueError("images: received none; expected at least one. Name some.")

    def at(number: int) -> Sample:
        pixels = readers[number]()
        return pixels, _fitted(names[number], pixels, preprocessing)[0]

    words = f"the {len(names):,} images given" if len(names) > 1 else "the image given"
    return Samples(len(names), words, at, names.__getitem__, notes=(*doubts, *skipped))


def _fitted(
    name: str, pixels: np.ndarray, preprocessing: Preprocessing
) -> tuple[Preprocessing, str | None]:
    return for_image(name, seen_of(pixels, 1), pixels.dtype == np.uint8, preprocessing)


def _prepared(images: Any, input_shape: tuple[Any, ...]) -> Samples:
    """Return images that are already as the network takes them."""
    expected = f"an array of floats, {sizes(input_shape)}, as the network takes them"
    remedy = (
        "Pass one, or say how images are prepared by --preprocessing (preprocessing), which the "
        "model does not know"
    )
    if not is_array(images):
        raise ValueError(f"images: received {shown(images)}; expected {expected}. {remedy}.")
    batch = as_array("images", images)
    fits = batch.ndim == len(input_shape) and all(
        size in (None, has) for size, has in zip(input_shape, batch.shape, strict=True)
    )
    if batch.dtype.kind != "f" or not fits or not len(batch):
        has = f"{batch.dtype} of {sizes(batch.shape)}"
        raise ValueError(f"images: received {has}; expected {expected}. {remedy}.")
    if not np.isfinite(batch).all():
        raise ValueError("images: received NaN or infinity; expected numbers. Take them out.")
    batch = batch.astype(np.float32)
    words = f"the {len(batch):,} images given"
    return Samples(len(batch), words, lambda number: (batch[number], None), "image {}".format)


def _with_labels(samples: Samples, given: Any) -> Samples:
    labels = np.asarray(given)
    if len(labels) != samples.count:
        raise ValueError(
            f"labels: received {len(labels):,} for {samples.count:,} images; expected one for each."
        )
    return dataclasses.replace(samples, labels=labels.astype(np.int32))
