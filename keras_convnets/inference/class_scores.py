"""Precision, recall and F1 of each class, and their means over classes."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Means:
    """Means of the metrics of all classes; NaN where none of the classes has one.

    Attributes:
        precision: the mean precision.
        recall: the mean recall; of images with one class each, the macro mean is also called
            balanced accuracy.
        f1: the mean F1.
        roc_auc: the mean ROC-AUC; NaN for micro means.
        average_precision: the mean average precision (mAP); NaN for micro means.
    """

    precision: float
    recall: float
    f1: float
    roc_auc: float = float("nan")
    average_precision: float = float("nan")


@dataclasses.dataclass(frozen=True, eq=False)
class ClassScores:
    """The counts of each class, and what follows from them.

    A class without images has no recall and no F1, and one that is never predicted no precision:
    they are NaN. An F1 of 0 is one: the class has images, and none is found.

    Attributes:
        right: the images of each class that are predicted as it.
        predicted: the images that are predicted as each class.
        images: the images of each class.
    """

    right: np.ndarray
    predicted: np.ndarray
    images: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """The share of images predicted as a class that belong to it."""
        return _share(self.right, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        """The share of images of a class that are predicted as it."""
        return _share(self.right, self.images)

    @property
    def f1(self) -> np.ndarray:
        """The harmonic mean of precision and recall."""
        found = _share(2 * self.right, self.predicted + self.images)
        return np.where(self.images > 0, found, np.nan)

    def micro(self) -> Means:
        """Return precision, recall and F1 of all predictions, whatever their class."""
        counts = (self.right, self.predicted, self.images)
        pooled = ClassScores(*(np.array([count.sum()]) for count in counts))
        return Means(*(float(one[0]) for one in (pooled.precision, pooled.recall, pooled.f1)))


def mean_of(values: np.ndarray, images: np.ndarray, weighted: bool = False) -> float:
    """Return the mean over the classes that have images and a value; NaN if there are none.

    Args:
        values: the value of each class.
        images: the images of each class.
        weighted: whether a class counts as often as it has images.
    """
    has = (images > 0) & np.isfinite(values)
    if not has.any():
        return float("nan")
    return float(np.average(values[has], weights=images[has] if weighted else None))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return a part of a whole, NaN of nothing."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
