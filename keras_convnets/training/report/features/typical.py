"""The most typical image of each class."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.training.report.features.pooled import Pooled, lowest_first, of_each

MOST = 24  # classes
_IMAGES = 600  # of all classes together, among which the typical ones are found


@dataclasses.dataclass(frozen=True)
class Typical:
    """The most typical image of a class.

    Attributes:
        label: the class.
        index: the index of the image among the test images.
        among: the number of images whose mean it is nearest to.
    """

    label: int
    index: int
    among: int


def classes_of(evaluation: Evaluation) -> list[int]:
    """Return the classes that are shown: all that have images, or those of lowest accuracy."""
    return sorted(lowest_first(evaluation)[:MOST])


def candidates(evaluation: Evaluation, classes: Sequence[int]) -> np.ndarray:
    """Return the indices of images that are classified correctly, evenly from each class."""
    right = evaluation.predictions == evaluation.labels
    return of_each(evaluation.labels, right, classes, _IMAGES)


def typical(
    features: Pooled, labels: np.ndarray, numbers: np.ndarray, classes: Sequence[int]
) -> list[Typical]:
    """Return the image of each class that is nearest to the mean of its class.

    Args:
        features: the pooled features of the images.
        labels: the class of each test image.
        numbers: the indices of the images, which are classified correctly.
        classes: the classes; one without such images is left out.
    """
    found = []
    for label in classes:
        own = numbers[labels[numbers] == label]
        if len(own):
            values = features.of(own)
            distances = np.square(values - values.mean(axis=0)).sum(axis=1)
            found.append(Typical(label, int(own[distances.argmin()]), len(own)))
    return found
