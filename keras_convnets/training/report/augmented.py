"""The first training images of a run as the network gets them, with what their labels say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.printable import cut, printable
from keras_convnets.training.data import pipeline
from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.changes.pixels import pixels_of
from keras_convnets.training.data.data import Data

MOST = 16
_LETTERS = 20  # of a class name
_LEAST_SHARE = 0.005  # of a class that is worth its name
_CLASSES = 3  # that are named


@dataclasses.dataclass(frozen=True)
class Tile:
    """A training image after all augmentations.

    Attributes:
        pixels: (rows, cols, channels), from 0 to 1.
        caption: the class, or a line for each class with its share.
    """

    pixels: np.ndarray
    caption: str


def tiles(data: Data, seed: int = 0, epoch: int = 0) -> list[Tile]:
    """Return the first 16 images of an epoch; fewer if there are fewer.

    Raises:
        ValueError: an image cannot be read; the error names it.
    """
    count = min(MOST, len(data.train))
    if augmentation_named(data.augmentation).mixes:
        count -= count % 2
    if not count:
        return []
    batches = pipeline.training_batches(data, count, seed=seed, epoch=epoch)
    try:
        images, labels = next(iter(batches))
    except tf.errors.OpError as error:
        if found := pipeline.explain(error, data):
            raise ValueError(f"data: {found}. Mend or remove the file.") from error
        raise
    pixels = pixels_of(data.train, data.preprocessing).of_input(images).numpy()
    shown = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    captions = (_caption(label, data.class_names) for label in labels.numpy())
    return list(map(Tile, shown, captions))


def _caption(label: np.ndarray, class_names: Sequence[str]) -> str:
    """Return what a label says: a class, or the share of each class, the largest first."""
    if label.ndim == 0:
        return _name(class_names[int(label)])
    order = [n for n in np.argsort(-label, kind="stable") if label[n] > _LEAST_SHARE]
    lines = [
        _name(class_names[n]) + (f" {label[n]:.2f}" if label[n] < 1 - _LEAST_SHARE else "")
        for n in order[:_CLASSES]
    ]
    more = [f"and {len(order) - _CLASSES} more"] if len(order) > _CLASSES else []
    return "\n".join(lines + more) or "–"


def _name(name: str) -> str:
    return cut(printable(name), _LETTERS)
