"""The parts of a report about classes, images and the run's configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.images.pixel_range import largest_pixel
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Share
from keras_convnets.training.report import pictures
from keras_convnets.training.report.looked_at import looked_at
from keras_convnets.training.report.pictures import Picture
from keras_convnets.training.report.tested import Tested

_MISTAKES = 16
_CONFUSIONS = 12


@dataclasses.dataclass(frozen=True)
class ClassBar:
    """The name of a class, its number of images, and how many are classified correctly."""

    name: str
    images: int
    right: int

    @property
    def share(self) -> float:
        """The share of images that are classified correctly; NaN if there are none."""
        return self.right / self.images if self.images else float("nan")


@dataclasses.dataclass(frozen=True)
class Card:
    """A mistake: the picture if known, the name, and what is wrong.

    Attributes:
        picture: the picture, if it is known.
        file: the name of the image.
        truth: what is true in words, and its value.
        predicted: what was predicted in words, and its value.
        confidence: the predicted probability.
        looked_at: the picture under a map of what the network looked at, if there is one.
    """

    picture: Picture | None
    file: str
    truth: tuple[str, str]
    predicted: tuple[str, str]
    confidence: float
    looked_at: Picture | None = None


def confusions(evaluation: Evaluation, class_names: Sequence[str]) -> Table:
    """Return the most frequent confusions, the most frequent first."""
    columns = (
        Column("class", "true class"),
        Column("taken_for", "predicted"),
        Column("images", "images", is_number=True),
        Column("share", "of the class", is_number=True),
    )
    rows = tuple(
        (class_names[pair.label], class_names[pair.predicted], pair.count, Share(pair.share))
        for pair in evaluation.most_confused(_CONFUSIONS)
    )
    return Table(columns, rows)


def class_bars(evaluation: Evaluation, class_names: Sequence[str]) -> list[ClassBar]:
    """Return a bar for each class."""
    images = evaluation.confusion.sum(axis=1).tolist()
    right = evaluation.confusion.diagonal().tolist()
    return list(map(ClassBar, class_names, images, right))


def worst_first(bars: Sequence[ClassBar]) -> list[ClassBar]:
    """Return the bars sorted by share, the worst first; classes without images come last."""
    return sorted(bars, key=lambda bar: (not bar.images, bar.share if bar.images else 0))


def mistakes(model: Any, evaluation: Evaluation, about: Tested) -> tuple[list[Card], str]:
    """Return the mistakes that the model is most confident of, and a note about their maps."""
    names, found = about.class_names, evaluation.most_wrong(_MISTAKES)
    looked = looked_at(model, about, [(one.index, one.predicted) for one in found])
    cards = [
        Card(
            *_image(about, mistake.index),
            ("true class", names[mistake.label]),
            ("predicted", names[mistake.predicted]),
            mistake.confidence,
            looked.maps.get(mistake.index),
        )
        for mistake in found
    ]
    return cards, looked.note


def wrong_labels(evaluation: Evaluation, about: Tested) -> list[Card]:
    """Return the wrong labels of multi-label images that the model is most confident of."""
    return [
        Card(
            *_image(about, wrong.index),
            ("has the label" if wrong.has else "has not the label", about.class_names[wrong.label]),
            ("predicted", "no" if wrong.has else "yes"),
            wrong.probability,
        )
        for wrong in evaluation.most_wrong_labels(_MISTAKES)
    ]


def _image(about: Tested, index: int) -> tuple[Picture | None, str]:
    """Return the picture of an image, if it is known, and its name."""
    images = about.images
    return _picture(about, index), images.describe(index) if images else f"image {index:,}"


def _picture(about: Tested, index: int) -> Picture | None:
    if about.images is None or about.preprocessing is None:
        return None
    brightest = largest_pixel(about.preprocessing)
    return pictures.picture(about.images.read(np.int64(index)), brightest)


def configuration(
    config: Mapping[str, Any], preprocessing: Preprocessing | None
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the configuration of the run: a title for each part, with names and values."""
    parts = {name: dict(value) for name, value in config.items() if isinstance(value, Mapping)}
    rest = {name: value for name, value in config.items() if name not in parts}
    for hidden in ("class_names", "skipped"):
        parts.get("data", {}).pop(hidden, None)
    if "preprocessing" in parts and preprocessing is not None:
        parts["preprocessing"] = {"in words": str(preprocessing)} | parts["preprocessing"]
    return [
        (title, [(name.replace("_", " "), _said(value)) for name, value in values.items()])
        for title, values in (parts | {"other": rest}).items()
        if values
    ]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or "–"
    if isinstance(value, dict):
        told = {name: each for name, each in value.items() if each is not None}
        return ", ".join(f"{name}={_said(each)}" for name, each in told.items()) or "–"
    return str(value)
