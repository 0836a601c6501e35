"""The user's own images, in NumPy arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import sizes
from keras_convnets.images.labelled import Images, from_array
from keras_convnets.inference.given import is_array
from keras_convnets.training.data.array_labels import (
    array_of,
    check_no_class_empty,
    classes_of,
    first_bad,
    labels_of,
)
from keras_convnets.training.data.source import Source

_CHANNELS = (1, 3, 4)
_VALUES = 64  # of each image, about, by which it is recognised
_UNLIKE = 16  # how many times the range of test images that of training images may be
_EXPECTED = "expected an array of shape (images, rows, cols, channels), with 1, 3 or 4 channels"


def load(
    train: tuple[Any, Any],
    test: tuple[Any, Any],
    class_names: Sequence[str] | None,
    name: str,
    channels: int | None = None,
) -> Source:
    """Return the images in arrays.

    Args:
        train: the training images and their labels.
        test: the test images and their labels, or ``(None, None)``.
        class_names: the class names, by label; by default the labels themselves.
        name: the name of the data set.
        channels: the channels that are asked for: images may have so many. Unless it is known,
            channels first would be taken for many channels.

    Raises:
        ValueError: an array does not contain images, or labels that match them.
    """
    images = _pixels("train_images", train[0], channels)
    labels = labels_of("train_labels", train[1], len(images))
    tests = None
    if test[0] is not None or test[1] is not None:
        tested = _pixels("test_images", test[0], channels)
        tests = tested, labels_of("test_labels", test[1], len(tested))
        _check_alike(images, tested)
    _check_varied(images)
    given = [labels] if tests is None else [labels, tests[1]]
    given, names = classes_of(given, class_names)
    check_no_class_empty(given[0], names)
    rows, cols, has = images.shape[1:]
    return Source(
        name=name,
        train=_images(images, given[0], f"{name} training"),
        class_names=names,
        augmentation="none",
        size=(rows, cols),
        native=(rows, cols),
        test=None if tests is None else _images(tests[0], given[1], f"{name} test"),
        channels=has if has in (1, channels) else 3,
        scale=_scale(images),
        is_from_files=False,
        contents=_contents([images, *(tests or [])[:1], *given]),
    )


def _contents(arrays: Sequence[np.ndarray]) -> str:
    """Return a SHA-256 of the order of images and labels: of some values of each."""
    digest = hashlib.sha256()
    for array in arrays:
        flat = array.reshape(len(array), -1)
        digest.update(np.ascontiguousarray(flat[:, :: max(1, flat.shape[1] // _VALUES)]).data)
    return digest.hexdigest()


def _images(pixels: np.ndarray, labels: np.ndarray, title: str) -> Images:
    return from_array(pixels, labels, f"{title} {{}}".format)


def _pixels(what: str, given: Any, channels: int | None) -> np.ndarray:
    """Return images as uint8 or floats, with channels last."""
    _check_one_size(what, given)
    array = array_of(what, given, _EXPECTED)
    if array.dtype.kind not in "uif":
        raise ValueError(
            f"{what}: received an array of type {array.dtype}; expected integers of 0 to 255 or "
            "floats. Convert it, by astype('uint8') for instance."
        )
    array = array[..., np.newaxis] if array.ndim == 3 else array
    if array.ndim != 4 or not array.size:
        raise ValueError(
            f"{what}: received an array of shape {np.shape(given)}; {_EXPECTED}, and at least one "
            "image. Grey images may leave the channels out."
        )
    if array.shape[-1] not in {*_CHANNELS, channels}:
        first = array.shape[1] in _CHANNELS
        remedy = (
            f"Pass np.moveaxis({what}, 1, -1)."
            if first
            else "Stack your images along axis 0, or pass channels if they have so many."
        )
        was = ", channels first" if first else ""
        raise ValueError(f"{what}: received shape {array.shape}{was}; {_EXPECTED}. {remedy}")
    return _in_range(what, array)


def _check_one_size(what: str, given: Any) -> None:
    """Refuse a list of images, arrays or Pillow's, that differ in size."""
    if not isinstance(given, list | tuple) or not all(map(is_array, given)):
        return
    shapes = [np.shape(image) for image in given]
    other = next((number for number, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is not None:
        raise ValueError(
            f"{what}: received image {other:,} of {sizes(shapes[other])}, and the first of "
            f"{sizes(shapes[0])}; expected images of one size. Resize them, or write them to a "
            "folder."
        )


def _in_range(what: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            first = first_bad(~np.isfinite(array))
            raise ValueError(
                f"{what}: received NaN or infinity, first in image {first:,}; expected numbers. "
                "Take these images away."
            )
        return array.astype(np.float32, copy=False)
    if array.min() < 0 or array.max() > 255:
        first = first_bad((array < 0) | (array > 255))
        raise ValueError(
            f"{what}: received integers of {array.min()} to {array.max()}, first in image "
            f"{first:,}; expected 0 to 255. Convert others to floats of 0 to 1."
        )
    return array.astype(np.uint8, copy=False)


def _scale(images: np.ndarray) -> float:
    """Return the divisor for pixels: 255, or 1 for floats outside the range 0 to 255."""
    bright = images.dtype.kind != "f" or (images.min() >= 0 and 1 < images.max() <= 255)
    return 255.0 if bright else 1.0


def _check_alike(train: np.ndarray, test: np.ndarray) -> None:
    if train.shape[1:] != test.shape[1:] or train.dtype != test.dtype:
        raise ValueError(
            f"test_images: received {test.dtype} of shape {test.shape}; expected {train.dtype} of "
            f"{train.shape[1:]} each, as train_images are."
        )
    ranges = [(float(array.min()), float(array.max())) for array in (train, test)]
    spans = [high - low for low, high in ranges]
    if all(spans) and not 1 / _UNLIKE < spans[0] / spans[1] < _UNLIKE:
        (low, high), (least, most) = ranges
        raise ValueError(
            f"test_images: received values of {least:g} to {most:g}; expected them scaled as "
            f"train_images are, which are {low:g} to {high:g}. Scale both alike."
        )


def _check_varied(images: np.ndarray) -> None:
    if images.min() == images.max():
        raise ValueError(
            f"train_images: received {len(images)} images whose pixels are all {images.min()}; "
            "expected images that differ. Floats of 0 to 1 stay floats: do not convert them to "
            "integers."
        )
