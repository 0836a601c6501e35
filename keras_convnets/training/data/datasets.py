"""A ``tf.data.Dataset`` of images and labels, read into memory once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import memory
from keras_convnets.printable import cut, one_line
from keras_convnets.received import shown

_COPIES = 3  # of the images while they become an array, and of it a tensor
_CHANNELS = (1, 3, 4)
_LONGEST = 200
_EXPECTED = "expected a finite tf.data.Dataset of (image, label), batched or not"
_INFINITE = tf.data.INFINITE_CARDINALITY


def arrays_of(what: str, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return all images and labels of a data set as arrays.

    Args:
        what: the name of the argument, for errors.
        dataset: the data set.

    Raises:
        ValueError: it is infinite, empty, ragged, larger than the memory, or not of pairs of an
            image and a label, or its images differ in size.
    """
    _check(what, dataset)
    is_batched = _is_batched(dataset.element_spec)
    left = memory.available() // _COPIES
    images: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    count = 0
    for image, label in _elements(what, dataset):
        if is_batched is None:
            is_batched = _is_batched((image, label))
        if not is_batched:
            image, label = np.asarray(image)[np.newaxis], np.asarray(label)[np.newaxis]
        _check_one(what, image, label, images, count)
        images.append(image)
        labels.append(label)
        count += len(image)
        left -= image.nbytes
        if left < 0:
            raise ValueError(
                f"{what}: received more than {count:,} images, which do not fit into the memory; "
                f"{_EXPECTED}. Take fewer (dataset.take), or write them to a folder."
            )
    if not count:
        raise ValueError(f"{what}: received an empty data set; {_EXPECTED}. Pass one with images.")
    return np.concatenate(images), np.concatenate(labels)


def _check(what: str, dataset: Any) -> None:
    if not isinstance(dataset, tf.data.Dataset):
        raise ValueError(
            f"{what}: received {shown(dataset)}; {_EXPECTED}. Pass arrays to Data.from_arrays."
        )
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        names = list(spec) if isinstance(spec, dict) else spec
        found = f"elements of {len(spec)} parts" if isinstance(spec, tuple) else shown(names)
        raise ValueError(
            f"{what}: received {cut(found, _LONGEST)}; {_EXPECTED}. Make pairs of them by "
            "dataset.map; weights of images belong into class_weights."
        )
    if not all(isinstance(part, tf.TensorSpec) for part in spec):
        raise ValueError(
            f"{what}: received ragged, sparse or nested tensors; {_EXPECTED}. Make each image a "
            "tensor of one size, by tf.image.resize for instance."
        )
    if spec[0].dtype == tf.string:
        raise ValueError(
            f"{what}: received images that are texts; {_EXPECTED}, with pixels. Decode them by "
            "dataset.map and tf.io.decode_image."
        )
    if dataset.cardinality() == _INFINITE:
        raise ValueError(
            f"{what}: received a data set without an end; {_EXPECTED}. Leave repeat() out, for a "
            "recipe has the number of epochs."
        )


def _elements(what: str, dataset: tf.data.Dataset) -> Iterable[tuple[Any, Any]]:
    try:
        yield from dataset.as_numpy_iterator()
    except tf.errors.OpError as error:
        if memory.is_exhausted(error):
            raise
        said = cut(one_line(error.message or ""), _LONGEST)
        raise ValueError(
            f"{what}: its images cannot be read ({said}); {_EXPECTED}. Mend its functions."
        ) from error


def _is_batched(pair: Any) -> bool | None:
    """Return whether elements are batches; ``None`` if the shapes do not say it."""
    image, label = (tf.TensorShape(part.shape) for part in pair)
    if image.rank is None or label.rank is None:
        return None
    if image.rank != 3:
        return bool(image.rank == 4)
    return label.rank == 1 and image[-1] not in _CHANNELS  # a batch of grey images


def _check_one(what: str, image: Any, label: Any, images: list[np.ndarray], count: int) -> None:
    """Refuse an element that does not belong to the images before it."""
    if len(np.shape(label)) == 0 or len(image) != len(label):
        raise ValueError(
            f"{what}: received {len(image)} images with labels of shape {np.shape(label)} after "
            f"{count:,} images; {_EXPECTED}. Batch both together."
        )
    if images and image.shape[1:] != images[0].shape[1:]:
        sizes = (" x ".join(map(str, one.shape[1:])) for one in (image, images[0]))
        now, first = sizes
        raise ValueError(
            f"{what}: received image {count:,} of {now}, and the first of {first}; expected images "
            "of one size. Resize them by dataset.map and tf.image.resize."
        )
