"""What a classifier takes for what."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A misclassified image.

    Attributes:
        index: the index of the image.
        label: its true class.
        predicted: the predicted class.
        confidence: the probability of the predicted class, 0 to 1.
    """

    index: int
    label: int
    predicted: int
    confidence: float


@dataclasses.dataclass(frozen=True)
class WrongLabel:
    """A label of a multi-label image that is predicted wrongly.

    Attributes:
        index: the index of the image.
        label: the class.
        has: whether the image has the class.
        probability: the predicted probability that it has.
    """

    index: int
    label: int
    has: bool
    probability: float


@dataclasses.dataclass(frozen=True)
class Confusion:
    """How often images of one class are misclassified as another.

    Attributes:
        label: the true class.
        predicted: the predicted class.
        count: the number of such images.
        share: their share of the images of the true class, 0 to 1.
    """

    label: int
    predicted: int
    count: int
    share: float


def most_wrong(
    labels: np.ndarray, predictions: np.ndarray, confidence: np.ndarray, count: int
) -> list[Mistake]:
    """Return up to ``count`` mistakes, the most confident first."""
    wrong = np.flatnonzero(predictions != labels)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")[:count]]
    return [
        Mistake(int(i), int(labels[i]), int(predictions[i]), float(confidence[i])) for i in order
    ]


def most_confused(matrix: np.ndarray, count: int | None) -> list[Confusion]:
    """Return up to ``count`` confusions of two classes, the most frequent first."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    images = matrix.sum(axis=1)
    pairs = np.argwhere(wrong)
    order = np.argsort(-wrong[tuple(pairs.T)], kind="stable")[:count]
    return [
        Confusion(label, other, int(wrong[label, other]), wrong[label, other] / images[label])
        for label, other in pairs[order].tolist()
    ]


def most_wrong_labels(
    labels: np.ndarray, found: np.ndarray, probabilities: np.ndarray, count: int
) -> list[WrongLabel]:
    """Return up to ``count`` wrong labels of multi-label images, the most confident first."""
    wrong = np.argwhere(found != labels)
    gap = np.abs(labels - probabilities)[tuple(wrong.T)]
    order = wrong[np.argsort(-gap, kind="stable")[:count]]
    return [
        WrongLabel(index, label, bool(labels[index, label]), float(probabilities[index, label]))
        for index, label in order.tolist()
    ]
