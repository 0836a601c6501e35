"""The images and labels that a model is looked at with: arrays, as the model takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import sizes
from keras_convnets.channels_first import check_it_runs
from keras_convnets.inference.classifier import check_graph, check_takes_floats
from keras_convnets.inference.fits import check_labels
from keras_convnets.inference.given import as_array, is_array
from keras_convnets.inference.outputs import Outputs
from keras_convnets.keras_private import is_outline
from keras_convnets.received import shown


def check_model(model: Any) -> None:
    """Refuse what is no functional model of one input, of images, whose weights have values."""
    check_graph(model)
    if len(model.inputs) != 1:
        raise ValueError(
            f"model: {model.name} has {len(model.inputs)} inputs; expected one, of images. Pass a "
            "model of the part that takes images."
        )
    check_takes_floats(model)
    check_it_runs(model)
    check_has_values(model)


def check_has_values(model: Any) -> None:
    """Refuse an outline: a model whose weights have shapes, but no values."""
    if is_outline(model):
        raise ValueError(
            f"model: the weights of {model.name} have no values; expected some. Build it outside "
            "without_values()."
        )


def batch_of(model: Any, images: Any) -> np.ndarray:
    """Return images as an array of float32, as a model takes them.

    Raises:
        ValueError: they are something else, or have NaN or infinity.
    """
    takes = model.inputs[0].shape
    batch = as_array("images", images) if is_array(images) else None
    fits = (
        batch is not None
        and batch.ndim == len(takes)
        and batch.size > 0
        and all(size in (None, has) for size, has in zip(takes, batch.shape, strict=True))
    )
    if batch is None or not fits or "float" not in batch.dtype.name:
        has = shown(images) if batch is None else f"{batch.dtype} of {sizes(batch.shape)}"
        raise ValueError(
            f"images: received {has}; expected an array of floats, {sizes(tuple(takes))}, as "
            f"{model.name} takes them. Prepare them as in its training: preprocessing(pixels)."
        )
    batch = batch.astype(np.float32)
    if not np.isfinite(batch).all():
        raise ValueError(
            "images: received NaN or infinity; expected numbers. Look where they come from."
        )
    return batch


def labels_of(model: Any, outputs: Outputs, labels: Any, count: int) -> np.ndarray:
    """Return the labels of some images, ``(images,)`` or 0 and 1 for each class.

    Raises:
        ValueError: they are no such labels, or do not suit the outputs of the model.
    """
    found = np.asarray(labels) if is_array(labels) or isinstance(labels, list | tuple) else None
    is_right = found is not None and found.dtype.kind in "iu" and found.ndim in (1, 2)
    if found is None or not is_right or len(found) != count:
        has = shown(labels) if found is None else f"{found.dtype} of {sizes(found.shape)}"
        raise ValueError(
            f"labels: received {has}; expected an integer for each of {count:,} images, its "
            "class, or 0 or 1 for each class. Pass one label an image, in the order of the images."
        )
    found = found.astype(np.int64)
    check_labels(model, outputs, found)
    if found.ndim == 2 and found.max() > 1:
        raise ValueError(
            f"labels: received {found.max()} among labels of several classes an image; expected 0 "
            "or 1 for each class. Pass (images,) for the class of each."
        )
    return found


def parts_of(count: int, size: int) -> Iterator[slice]:
    """Yield the slices of some images of which a model takes a number at a time."""
    yield from (slice(start, min(start + size, count)) for start in range(0, count, size))
