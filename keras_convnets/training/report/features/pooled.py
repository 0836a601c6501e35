"""Test images as the network's last feature maps have them: the mean of each channel."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_convnets.axes import format_of
from keras_convnets.explaining.chosen import one_output
from keras_convnets.explaining.feature_layer import feature_layer
from keras_convnets.explaining.reached import output_at
from keras_convnets.explaining.taken import pictures
from keras_convnets.images.batches import evaluation_batches, gathered, in_format
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluation import Evaluation

LONGEST = 48  # pixels of a tile's longer side
_TOGETHER, _PIXELS = 128, 2_000_000  # images that the network takes at once, and their pixels


@dataclasses.dataclass(frozen=True)
class Pooled:
    """Some test images by their pooled features.

    Attributes:
        numbers: their indices among the test images, in order.
        values: the mean of each channel of the last feature maps, `(images, channels)`.
        tiles: the images as the network takes them, but small, uint8, `(images, rows, cols, 1 or
            3)`.
        are_whole: whether the tiles have all pixels that the network takes.
        layer: the layer whose feature maps they are.
    """

    numbers: np.ndarray
    values: np.ndarray
    tiles: np.ndarray
    are_whole: bool
    layer: str

    def of(self, numbers: Any) -> np.ndarray:
        """Return the values of some of the images, by their indices among the test images."""
        found: np.ndarray = self.values[np.searchsorted(self.numbers, numbers)]
        return found


def pooled(model: Any, images: Images, preprocessing: Preprocessing, numbers: np.ndarray) -> Pooled:
    """Return the pooled features of some images.

    Args:
        model: the network, in either data format.
        images: the test images.
        preprocessing: their preprocessing.
        numbers: the indices of those to look at, in order.

    Raises:
        ValueError: the network has no feature maps, or these are not finite.
    """
    model = one_output(model, None)
    layer = feature_layer(model, None, preprocessing.image_shape, of_one_pixel=True)
    is_first = format_of(model) == "channels_first"
    values: list[np.ndarray] = []
    tiles: list[np.ndarray] = []
    for given in _batches(images, preprocessing, numbers, format_of(model)):
        maps = output_at(model, given, layer.place)
        values.append(maps.mean(axis=(2, 3) if is_first else (1, 2), dtype=np.float64))
        tiles += _tiles(pictures(given, is_first, preprocessing))
    found = np.concatenate(values)
    if not np.isfinite(found).all():
        raise ValueError(f"the feature maps of {layer.name} have NaN or infinity")
    are_whole = max(preprocessing.image_shape[1:]) <= LONGEST
    return Pooled(numbers, found, np.stack(tiles), are_whole, layer.name)


def _batches(
    images: Images, preprocessing: Preprocessing, numbers: np.ndarray, data_format: str
) -> Iterator[np.ndarray]:
    """Yield some images as the network takes them."""
    size = max(1, min(_TOGETHER, _PIXELS // math.prod(preprocessing.image_shape[1:])))
    if not gathered(images, preprocessing):
        batches = evaluation_batches(images.subset(numbers), preprocessing, size, data_format)
        yield from (batch.numpy() for batch, _ in batches)
        return
    for start in range(0, len(numbers), size):  # without the time to set up a pipeline
        batch = preprocessing(images.read(numbers[start : start + size]))
        yield in_format(batch, data_format).numpy()


def _tiles(seen: np.ndarray) -> Iterator[np.ndarray]:
    """Yield images scaled down to tiles, where they are larger."""
    rows, cols, channels = seen.shape[1:]
    shrink = LONGEST / max(rows, cols)
    if shrink >= 1:
        yield from seen
        return
    size = max(1, round(cols * shrink)), max(1, round(rows * shrink))
    for one in seen:
        image = Image.fromarray(one if channels == 3 else one[..., 0])
        small = np.asarray(image.resize(size, Image.Resampling.BOX))
        yield small if channels == 3 else small[..., np.newaxis]


def lowest_first(evaluation: Evaluation) -> list[int]:
    """Return the classes that have images, the lowest accuracy first."""
    recall = evaluation.recall
    found: list[int] = np.argsort(recall, kind="stable").tolist()
    return [label for label in found if np.isfinite(recall[label])]


def evenly(numbers: np.ndarray, most: int) -> np.ndarray:
    """Return some of the numbers, evenly spaced; all if there are no more."""
    if len(numbers) <= most:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, most).round().astype(int)]


def of_each(labels: np.ndarray, among: np.ndarray, classes: Sequence[int], most: int) -> np.ndarray:
    """Return the indices of images of some classes, as many of each as ``most`` has room for.

    Args:
        labels: the class of each image.
        among: whether each image may be taken.
        classes: the classes.
        most: images of all classes together.
    """
    each = max(1, most // max(1, len(classes)))
    found = [evenly(np.flatnonzero(among & (labels == label)), each) for label in classes]
    return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)
