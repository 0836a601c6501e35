"""Labels in arrays: a number for each image, or 0 and 1 for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets.received import shown

_EXPECTED = "expected integers, one an image, or 0 and 1 for each class, (images, classes)"


def labels_of(what: str, given: Any, images: int) -> np.ndarray:
    """Return integer labels: (images,), or (images, classes) for multi-label images."""
    array = array_of(what, given, _EXPECTED)
    _check_whole(what, array)
    if array.dtype.kind not in "uifb":
        raise ValueError(
            f"{what}: received an array of type {array.dtype}; {_EXPECTED}. Number your classes, "
            "by np.unique(names, return_inverse=True) for instance."
        )
    if array.ndim not in (1, 2) or len(array) != images:
        raise ValueError(
            f"{what}: received shape {array.shape} for {images} images; {_EXPECTED}. Pass as many "
            "labels as images."
        )
    array = array.astype(np.int64)
    if array.min() < 0:
        raise ValueError(
            f"{what}: received {array.min()}; expected labels of 0 and up, unlike that of image "
            f"{first_bad(array < 0):,}. Number your classes from 0."
        )
    if array.ndim == 2 and array.shape[1] > 1:
        if array.max() > 1:
            raise ValueError(
                f"{what}: received {array.max()} in shape {array.shape}, first for image "
                f"{first_bad(array > 1):,}; {_EXPECTED}."
            )
        return array
    return array.reshape(-1)


def classes_of(
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
            "many classes. Name each of them."
        )
    if len(names) < 2:
        raise ValueError("train_labels: received one class; expected at least two.")
    return labels, names


def check_no_class_empty(labels: np.ndarray, names: tuple[str, ...]) -> None:
    """Refuse labels of which no image has some class."""
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(names))
    if not counts.min():
        empty = int(counts.argmin())
        raise ValueError(
            f"train_labels: received no image of class {empty}, {names[empty]!r}; expected some of "
            "each of the classes to train on. Number them from 0 without gaps, by "
            "np.unique(labels, return_inverse=True) for instance."
        )


def array_of(what: str, given: Any, expected: str) -> np.ndarray:
    """Return what was given as an array of numbers or texts."""
    try:
        array = np.asarray(given)
    except ValueError as error:  # lists of lists of different lengths
        raise ValueError(f"{what}: received no array ({error}); {expected}.") from error
    if array.dtype == object:
        raise ValueError(
            f"{what}: received {'nothing' if given is None else 'an array of objects'}; {expected}."
        )
    return array


def first_bad(bad: np.ndarray) -> int:
    """Return the first image, or the first label, any of whose values is bad."""
    return int(bad.reshape(len(bad), -1).any(axis=1).argmax())


def _check_whole(what: str, array: np.ndarray) -> None:
    """Refuse labels that are floats with a fraction, or not finite."""
    if array.dtype.kind != "f" or not array.size or not array.ndim:
        return
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(array) | (array != np.floor(array))
    if bad.any():
        first = first_bad(bad)
        raise ValueError(
            f"{what}: received an array of type {array.dtype}, with {shown(array[first].tolist())} "
            f"for image {first:,}; {_EXPECTED}. Number your classes, by np.unique(names, "
            "return_inverse=True) for instance."
        )
