"""The user's own images, in NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets.images.labelled import Images, from_array
from keras_convnets.training.data.source import Source

_CHANNELS = (1, 3, 4)
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
    labels = _labels("train_labels", train[1], len(images))
    tests = None
    if test[0] is not None or test[1] is not None:
        tested = _pixels("test_images", test[0], channels)
        tests = tested, _labels("test_labels", test[1], len(tested))
        _check_alike(images, tested)
    _check_varied(images)
    given = [labels] if tests is None else [labels, tests[1]]
    given, names = _classes(given, class_names)
    _check_no_class_empty(given[0], names)
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
    )


def _images(pixels: np.ndarray, labels: np.ndarray, title: str) -> Images:
    return from_array(pixels, labels, f"{title} {{}}".format)


def _pixels(what: str, given: Any, channels: int | None) -> np.ndarray:
    """Return images as uint8 or floats, with channels last."""
    array = _array(what, given, _EXPECTED)
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


def _in_range(what: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError(
                f"{what}: received NaN or infinity; expected numbers. Take these images away."
            )
        return array.astype(np.float32, copy=False)
    if array.min() < 0 or array.max() > 255:
        raise ValueError(
            f"{what}: received integers of {array.min()} to {array.max()}; expected 0 to 255. "
            "Convert others to floats of 0 to 1."
        )
    return array.astype(np.uint8, copy=False)


def _scale(images: np.ndarray) -> float:
    """Return the divisor for pixels: 255, or 1 for floats outside the range 0 to 255."""
    bright = images.dtype.kind != "f" or (images.min() >= 0 and 1 < images.max() <= 255)
    return 255.0 if bright else 1.0


def _labels(what: str, given: Any, images: int) -> np.ndarray:
    """Return integer labels: (images,), or (images, classes) for multi-label images."""
    expected = "expected integers, one an image, or 0 and 1 for each class, (images, classes)"
    array = _array(what, given, expected)
    if array.dtype.kind not in "uifb" or (array.size and not _are_integers(array)):
        raise ValueError(
            f"{what}: received an array of type {array.dtype}; {expected}. Number your classes, by "
            "np.unique(names, return_inverse=True) for instance."
        )
    if array.ndim not in (1, 2) or len(array) != images:
        raise ValueError(
            f"{what}: received shape {array.shape} for {images} images; {expected}. Pass as many "
            "labels as images."
        )
    array = array.astype(np.int64)
    if array.min() < 0:
        raise ValueError(f"{what}: received {array.min()}; expected labels of 0 and up.")
    if array.ndim == 2 and array.shape[1] > 1:
        if array.max() > 1:
            raise ValueError(f"{what}: received {array.max()} in shape {array.shape}; {expected}.")
        return array
    return array.reshape(-1)


def _are_integers(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all() and (array == np.floor(array)).all())


def _array(what: str, given: Any, expected: str) -> np.ndarray:
    try:
        array = np.asarray(given)
    except ValueError as error:  # lists of lists of different lengths
        raise ValueError(f"{what}: received no array ({error}); {expected}.") from error
    if array.dtype == object:
        raise ValueError(
            f"{what}: received {'nothing' if given is None else 'an array of objects'}; {expected}."
        )
    return array


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


def _check_no_class_empty(labels: np.ndarray, names: tuple[str, ...]) -> None:
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(names))
    if not counts.min():
        empty = int(counts.argmin())
        raise ValueError(
            f"train_labels: received no image of class {empty}, {names[empty]!r}; expected some of "
            "each of the classes to train on. Number them from 0 without gaps, by "
            "np.unique(labels, return_inverse=True) for instance."
        )


def _classes(
    labels: list[np.ndarray], class_names: Sequence[str] | None
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Return labels and class names; single-class labels become one integer per image."""
    shapes = {array.shape[1:] for array in labels}
    if len(shapes) > 1:
        raise ValueError(
            f"test_labels: received {labels[1].shape}; expected them as train_labels are, "
            f"{labels[0].shape}."
        )
    [several] = shapes
    count = several[0] if several else 1 + max(int(array.max()) for array in labels)
    images = sum(map(len, labels))
    if class_names is None and not several and count > images:
        raise ValueError(
            f"train_labels: received the label {count - 1} in {images} images; expected labels of "
            "0 and up, without gaps. Number your classes, by np.unique(labels, "
            "return_inverse=True) for instance."
        )
    if several and all((array.sum(axis=1) == 1).all() for array in labels):
        labels = [array.argmax(axis=1) for array in labels]
    names = tuple(map(str, range(count) if class_names is None else class_names))
    if len(names) < count or (several and len(names) > count):
        raise ValueError(
            f"class_names: received {len(names)} names; expected {count}, for the labels have so "
            "many classes."
        )
    if len(names) < 2:
        raise ValueError("train_labels: received one class; expected at least two.")
    return labels, names
