"""A map of test images by their pooled features: a dot for each, with the image behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_convnets.analysis.label_places import Box, label_places
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Share
from keras_convnets.printable import printable
from keras_convnets.training.report.features.pooled import Pooled, lowest_first, of_each
from keras_convnets.training.report.features.sheet import Sheet, sheet_of
from keras_convnets.training.report.tested import Tested

MOST = 10  # classes, each with a colour
IMAGES = 300
_FEWEST = 3  # images, of which there is a map
_NARROWEST, _WIDEST = 1.25, 2.2  # the width of the map over its height
_WIDTH, _LINE, _LETTER, _LETTERS = 700.0, 18.0, 9.0, 16  # of names, in pixels of a wide screen
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
        sheet: all pictures in one.
        is_crisp: whether to show their pixels sharply when enlarged.
        ratio: the width of the map over its height.
        shares: the share of the variance on each axis, in words.
        layer: the layer whose feature maps are pooled.
        channels: how many they are.
    """

    dots: tuple[Dot, ...]
    keys: tuple[Key, ...]
    sheet: Sheet
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
    found = sheet_of(tiles)
    dots = tuple(
        _dot(place, number, evaluation, about, classes, found.place_of(each))
        for each, (number, place) in enumerate(zip(numbers.tolist(), places, strict=True))
    )
    return ImageMap(
        dots,
        _keys(classes, numbers, places, ratio, evaluation, about),
        found,
        features.are_whole,
        *(ratio, shares, features.layer, values.shape[1]),
    )


def _placed(values: np.ndarray) -> tuple[np.ndarray, float, tuple[str, str]]:
    """Return places in per cent of the map, its ratio, and the share of the variance by axis."""
    from sklearn.decomposition import PCA

    is_tall = len(values) >= values.shape[1]
    reduction = PCA(2, svd_solver="covariance_eigh" if is_tall else "full").fit(values)
    found = reduction.transform(values)
    low, high = found.min(axis=0), found.max(axis=0)
    width, height = high - low
    width, height = max(width, height * _NARROWEST), max(height, width / _WIDEST)
    size = np.array([width, height]) * (1 + 2 * _MARGIN)
    places = (found - (low + high) / 2) / size * [1, -1] + 0.5  # up is more, as in a figure
    first, second = (f"{Share(share)}" for share in reduction.explained_variance_ratio_)
    return 100 * places, float(width / height), (first, second)


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
        f"{Share(evaluation.probabilities[number, predicted])}",
        about.images.describe(number) if about.images else f"image {number:,}",
        tile,
    )


def _keys(
    classes: Sequence[int],
    numbers: np.ndarray,
    places: np.ndarray,
    ratio: float,
    evaluation: Evaluation,
    about: Tested,
) -> tuple[Key, ...]:
    """Return the classes, each with its name near the middle of its images."""
    own = [evaluation.labels[numbers] == label for label in classes]
    names = [about.class_names[label] for label in classes]
    middles = _apart([np.median(places[its], axis=0) for its in own], names, ratio)
    wrong = evaluation.predictions[numbers] != evaluation.labels[numbers]
    return tuple(
        Key(name, *middle, int(its.sum()), int((its & wrong).sum()))
        for name, middle, its in zip(names, middles, own, strict=True)
    )


def _apart(
    middles: Sequence[np.ndarray], names: Sequence[str], ratio: float
) -> list[tuple[float, float]]:
    """Return places of names near the middles of their classes, in per cent, none over another."""
    width, height = _WIDTH, _WIDTH / ratio
    unit = np.array([width, height]) / 100
    sizes = [(_LETTER * min(len(printable(name)), _LETTERS) + 4, _LINE) for name in names]
    points = [tuple((middle * unit).tolist()) for middle in middles]
    try:
        found = label_places(points, [1.0] * len(names), sizes, Box(0, 0, width, height))
    except ValueError:  # there is no room
        return [(float(left), float(top)) for left, top in middles]
    centres = (np.array(one.box.centre) / unit for one in found)
    return [(float(left), float(top)) for left, top in centres]
