"""A map of test images by their pooled features: a dot for each, with the image behind it."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Share
from keras_convnets.training.report.features.pooled import Pooled, lowest_first, of_each
from keras_convnets.training.report.tested import Tested

MOST = 10  # classes, each with a colour
IMAGES = 300
_FEWEST = 3  # images, of which there is a map
_MOST_BYTES = 300_000  # of the pictures together
_QUALITIES = (85, 60, 35, 15)  # of JPEG
_WIDEST = 2.2  # how much wider than high the map is at most
_MARGIN = 0.04  # around the dots


@dataclasses.dataclass(frozen=True)
class Dot:
    """An image on the map.

    Attributes:
        left, top: its place, in per cent of the map.
        colour: the number of its class among those shown.
        truth: the class.
        predicted: the class that is predicted, if it is another.
        confidence: the probability of the predicted class, in words.
        file: the name of the image.
        tile: where the picture is in the sheet of all pictures, in per cent.
    """

    left: float
    top: float
    colour: int
    truth: str
    predicted: str | None
    confidence: str
    file: str
    tile: tuple[float, float]

    @property
    def words(self) -> str:
        """What a screen reader says of it."""
        taken = f", predicted as {self.predicted}" if self.predicted is not None else ""
        return f"{self.truth}{taken}, {self.file}"


@dataclasses.dataclass(frozen=True)
class Key:
    """A class on the map: its name, its place in per cent, its images and those that are wrong."""

    name: str
    left: float
    top: float
    images: int
    wrong: int


@dataclasses.dataclass(frozen=True)
class ImageMap:
    """The map.

    Attributes:
        dots: the images, by class and then from left to right: the order of the keyboard.
        keys: the classes.
        sheet: all pictures in one, as a data URI.
        columns, rows: the pictures of the sheet.
        tile: the width and the height of a picture.
        is_crisp: whether to show their pixels sharply when enlarged.
        ratio: the width of the map over its height.
        shares: the share of the variance on each axis, in words.
        layer: the layer whose feature maps are pooled.
        channels: how many they are.
    """

    dots: tuple[Dot, ...]
    keys: tuple[Key, ...]
    sheet: str
    columns: int
    rows: int
    tile: tuple[int, int]
    is_crisp: bool
    ratio: float
    shares: tuple[str, str]
    layer: str
    channels: int


def classes_of(evaluation: Evaluation) -> list[int]:
    """Return the classes that are shown: all that have images, or those of lowest accuracy."""
    return sorted(lowest_first(evaluation)[:MOST])


def candidates(evaluation: Evaluation, classes: Sequence[int]) -> np.ndarray:
    """Return the indices of the images that are shown, evenly from each class."""
    every = np.ones(len(evaluation.labels), bool)
    return of_each(evaluation.labels, every, classes, IMAGES)


def image_map(
    features: Pooled,
    evaluation: Evaluation,
    about: Tested,
    numbers: np.ndarray,
    classes: Sequence[int],
) -> ImageMap | None:
    """Return the map of some test images; ``None`` where their features have no two directions.

    Args:
        features: the pooled features of the images.
        evaluation: the evaluation of the test images.
        about: what is known of the images.
        numbers: the indices of the images.
        classes: their classes.
    """
    values = features.of(numbers)
    if len(numbers) < _FEWEST or values.shape[1] < 2 or not np.ptp(values, axis=0).any():
        return None
    places, ratio, shares = _placed(values)
    order = np.lexsort((places[:, 0], evaluation.labels[numbers]))
    numbers, places = numbers[order], places[order]
    tiles = features.tiles[np.searchsorted(features.numbers, numbers)]
    columns, rows = _grid(len(tiles))
    dots = tuple(
        _dot(place, number, evaluation, about, classes, _tile(each, columns, rows))
        for each, (number, place) in enumerate(zip(numbers.tolist(), places, strict=True))
    )
    return ImageMap(
        dots,
        tuple(_key(label, numbers, places, evaluation, about) for label in classes),
        _sheet(tiles, columns, rows),
        *(columns, rows, (tiles.shape[2], tiles.shape[1]), features.are_whole),
        *(ratio, shares, features.layer, values.shape[1]),
    )


def _placed(values: np.ndarray) -> tuple[np.ndarray, float, tuple[str, str]]:
    """Return places in per cent of the map, its ratio, and the share of the variance by axis."""
    from sklearn.decomposition import PCA

    reduction = PCA(2, svd_solver="full").fit(values)
    found = reduction.transform(values)
    low, high = found.min(axis=0), found.max(axis=0)
    width, height = high - low
    width, height = max(width, height), max(height, width / _WIDEST)
    size = np.array([width, height]) * (1 + 2 * _MARGIN)
    places = (found - (low + high) / 2) / size * [1, -1] + 0.5  # up is more, as in a figure
    first, second = (str(Share(float(share))) for share in reduction.explained_variance_ratio_)
    return 100 * places, float(width / height), (first, second)


def _grid(count: int) -> tuple[int, int]:
    columns = math.ceil(math.sqrt(count))
    return columns, math.ceil(count / columns)


def _tile(number: int, columns: int, rows: int) -> tuple[float, float]:
    """Return where a picture is in the sheet, as ``background-position`` has it."""
    row, col = divmod(number, columns)
    return 100 * col / max(1, columns - 1), 100 * row / max(1, rows - 1)


def _dot(
    place: np.ndarray,
    number: int,
    evaluation: Evaluation,
    about: Tested,
    classes: Sequence[int],
    tile: tuple[float, float],
) -> Dot:
    label, predicted = int(evaluation.labels[number]), int(evaluation.predictions[number])
    return Dot(
        *(float(place[0]), float(place[1]), classes.index(label)),
        about.class_names[label],
        about.class_names[predicted] if predicted != label else None,
        str(Share(float(evaluation.probabilities[number, predicted]))),
        about.images.describe(number) if about.images else f"image {number:,}",
        tile,
    )


def _key(
    label: int, numbers: np.ndarray, places: np.ndarray, evaluation: Evaluation, about: Tested
) -> Key:
    is_own = evaluation.labels[numbers] == label
    left, top = np.median(places[is_own], axis=0).tolist()
    wrong = int((evaluation.predictions[numbers[is_own]] != label).sum())
    return Key(about.class_names[label], left, top, int(is_own.sum()), wrong)


def _sheet(tiles: np.ndarray, columns: int, rows: int) -> str:
    """Return all pictures in one as a data URI, of a bounded size."""
    height, width, channels = tiles.shape[1:]
    padded = np.zeros((columns * rows, height, width, channels), np.uint8)
    padded[: len(tiles)] = tiles
    sheet = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    image = Image.fromarray(sheet if channels == 3 else sheet[..., 0])
    kind, encoded = "png", _encoded(image, "PNG", optimize=True)
    for quality in _QUALITIES:
        smaller = _encoded(image, "JPEG", quality=quality)
        if len(smaller) < len(encoded):
            kind, encoded = "jpeg", smaller
        if len(encoded) <= _MOST_BYTES:
            break
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()
