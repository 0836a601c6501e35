"""The parts of a report that show test images: mistakes, typical images, and the map of all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets.images.pixel_range import largest_pixel
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.mistakes import Mistake, WrongLabel
from keras_convnets.training.report import pictures
from keras_convnets.training.report.features import image_map
from keras_convnets.training.report.features.seen import Seen, seen
from keras_convnets.training.report.features.typical import MOST, Typical
from keras_convnets.training.report.looked_at import LookedAt, looked_at
from keras_convnets.training.report.pictures import Picture
from keras_convnets.training.report.tested import Tested

_MISTAKES = 16


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


@dataclasses.dataclass(frozen=True)
class TypicalCard:
    """The most typical image of a class.

    Attributes:
        picture: the picture.
        file: the name of the image.
        name: the class.
        confidence: its probability.
        among: the number of images of the class among which it is.
        looked_at: the picture under a map of what the network looked at, if there is one.
    """

    picture: Picture | None
    file: str
    name: str
    confidence: float
    among: int
    looked_at: Picture | None


def of_images(model: Any, evaluation: Evaluation, about: Tested) -> dict[str, Any]:
    """Return the page's content about test images that have one class each."""
    found = seen(model, evaluation, about)
    wrong = evaluation.most_wrong(_MISTAKES)
    looks = [(one.index, one.predicted) for one in wrong]
    looks += [(one.index, one.label) for one in found.typical]
    looked = looked_at(model, about, looks)  # together: one call, one tracing
    return {
        "mistakes": _mistakes(wrong, about, looked),
        "looked_at": looked.note,
        "typical": _typical(found.typical, evaluation, about, looked),
        "without": [about.class_names[label] for label in found.without],
        "most_typical": MOST,
        "seen": found,
        "most_on_map": image_map.MOST,
    }


def of_several(model: Any, evaluation: Evaluation, about: Tested) -> dict[str, Any]:
    """Return the page's content about test images that may have several classes."""
    wrong = evaluation.most_wrong_labels(_MISTAKES)
    looked = looked_at(model, about, [(one.index, one.label) for one in wrong], "label")
    return {
        "mistakes": _wrong_labels(wrong, about, looked),
        "looked_at": looked.note,
        "typical": (),
        "seen": Seen(),
    }


def _mistakes(wrong: Sequence[Mistake], about: Tested, looked: LookedAt) -> list[Card]:
    names = about.class_names
    return [
        Card(
            *_image(about, mistake.index),
            ("true class", names[mistake.label]),
            ("predicted", names[mistake.predicted]),
            mistake.confidence,
            looked.maps.get((mistake.index, mistake.predicted)),
        )
        for mistake in wrong
    ]


def _typical(
    found: Sequence[Typical], evaluation: Evaluation, about: Tested, looked: LookedAt
) -> list[TypicalCard]:
    return [
        TypicalCard(
            *_image(about, one.index),
            about.class_names[one.label],
            float(evaluation.probabilities[one.index, one.label]),
            one.among,
            looked.maps.get((one.index, one.label)),
        )
        for one in found
    ]


def _wrong_labels(found: Sequence[WrongLabel], about: Tested, looked: LookedAt) -> list[Card]:
    return [
        Card(
            *_image(about, wrong.index),
            ("has the label" if wrong.has else "has not the label", about.class_names[wrong.label]),
            ("predicted", "no" if wrong.has else "yes"),
            wrong.probability,
            looked.maps.get((wrong.index, wrong.label)),
        )
        for wrong in found
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
