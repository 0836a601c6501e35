"""What can be told of a classifier from what it says of images whose classes are known."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import numpy as np

TOP = 5
_LIKELY = 0.5  # the probability from which an image is said to have a class, if several may


@dataclasses.dataclass(frozen=True)
class Mistake:
    """An image that is taken for another class.

    Attributes:
        index: which of the images.
        label: its class.
        predicted: the class that it is taken for.
        confidence: the probability of that class, 0 to 1.
    """

    index: int
    label: int
    predicted: int
    confidence: float


@dataclasses.dataclass(frozen=True)
class Confusion:
    """How often images of one class are taken for another.

    Attributes:
        label: the class.
        predicted: the class that they are taken for.
        count: how many are.
        share: of the images of the class, 0 to 1.
    """

    label: int
    predicted: int
    count: int
    share: float


class Share(float):
    """A share, 0 to 1: the number itself to programs, per cent to people."""

    def __format__(self, spec: str) -> str:
        return f"{float(self):.2%}"


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model says of images whose classes are known.

    Of images that may have several classes there is no confusion, and no class that they are taken
    for: `predictions`, `top5`, `confusion`, `most_wrong` and `most_confused` raise a `ValueError`.

    Attributes:
        labels: the class of each image, `(images,)`; or, of images that may have several, 0 or 1
            for each class, `(images, classes)`.
        probabilities: of each class for each image; shape `(images, classes)`, float32.
        logits: what these are the softmax of, where the model outputs logits; the loss is then
            worked out from them.
        are_independent: whether each class has a probability of its own, a sigmoid.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray | None = None
    are_independent: bool = False

    @property
    def has_several(self) -> bool:
        """Whether an image may have several classes."""
        return self.labels.ndim == 2

    @functools.cached_property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image; the first of several that are equal."""
        self._check_one()
        return self.probabilities.argmax(axis=1)

    @functools.cached_property
    def loss(self) -> float:
        """The mean cross-entropy, in nats; without weight decay or other penalties.

        It is Keras': binary, and the mean over the classes, where these are independent.
        """
        if self.are_independent:
            losses = keras.losses.binary_crossentropy(self._targets, self.probabilities)
        else:
            given = self.probabilities if self.logits is None else self.logits
            losses = keras.losses.sparse_categorical_crossentropy(
                self.labels, given, from_logits=self.logits is not None
            )
        return float(keras.ops.convert_to_numpy(losses).mean(dtype=np.float64))

    @functools.cached_property
    def accuracy(self) -> float:
        """The share of the images whose class is the most probable one.

        Of images that may have several: the share of all their labels that are told right, which
        is Keras' binary accuracy.
        """
        if self.has_several:
            return float((self._found == self.labels).mean())
        return float((self.predictions == self.labels).mean())

    @functools.cached_property
    def exact_match(self) -> float:
        """The share of the images of which all labels are told right."""
        if self.has_several:
            return float((self._found == self.labels).all(axis=1).mean())
        return self.accuracy

    @functools.cached_property
    def top5(self) -> float:
        """The share of the images whose class is one of the five most probable ones."""
        self._check_one()
        classes = self.probabilities.shape[1]
        if classes <= TOP:
            return 1.0
        from sklearn.metrics import top_k_accuracy_score

        # Of equal ones, the last is the more probable there, and the first in `predictions`.
        return float(
            top_k_accuracy_score(
                classes - 1 - self.labels,
                self.probabilities[:, ::-1],
                k=TOP,
                labels=np.arange(classes),
            )
        )

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        """How many images of each class (row) are taken for each class (column)."""
        from sklearn.metrics import confusion_matrix

        classes = np.arange(self.probabilities.shape[1])
        return confusion_matrix(self.labels, self.predictions, labels=classes)

    @functools.cached_property
    def class_accuracy(self) -> np.ndarray:
        """The share of each class's images that is told right; NaN where it has none."""
        return self.precision_and_recall[1]

    @functools.cached_property
    def precision_and_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """Two shares for each class, NaN where they are of none.

        The first is of the images that are said to be of the class, and are; the second of those
        that are of the class, and are said to be.
        """
        from sklearn.metrics import precision_recall_fscore_support

        given = self._found if self.has_several else self.predictions
        precision, recall, *_ = precision_recall_fscore_support(
            self.labels, given, labels=np.arange(self.probabilities.shape[1]), zero_division=np.nan
        )
        return precision, recall

    def most_wrong(self, count: int) -> list[Mistake]:
        """Return the mistakes that the model is surest of, the surest first; at most ``count``."""
        wrong = np.flatnonzero(self.predictions != self.labels)
        confidence = self.probabilities[wrong, self.predictions[wrong]]
        order = np.argsort(-confidence, kind="stable")[:count]
        return [
            Mistake(int(i), int(self.labels[i]), int(self.predictions[i]), float(sure))
            for i, sure in zip(wrong[order], confidence[order], strict=True)
        ]

    def most_confused(self, count: int | None = None) -> list[Confusion]:
        """Return which classes are taken for which, the most frequent first; at most ``count``."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        images = self.confusion.sum(axis=1)
        pairs = np.argwhere(wrong)
        order = np.argsort(-wrong[tuple(pairs.T)], kind="stable")[:count]
        return [
            Confusion(label, other, int(wrong[label, other]), wrong[label, other] / images[label])
            for label, other in pairs[order].tolist()
        ]

    @property
    def _found(self) -> Any:
        """Of images that may have several classes: whether each is said to have each."""
        return (self.probabilities > _LIKELY).astype(np.int32)

    @property
    def _targets(self) -> np.ndarray:
        """What the probabilities should be: 0 or 1 for each class."""
        if self.has_several:
            return self.labels.astype(np.float32)
        return np.eye(self.probabilities.shape[1], dtype=np.float32)[self.labels]

    def _check_one(self) -> None:
        if self.has_several:
            raise ValueError(
                "evaluation: received labels of several classes an image; expected one class an "
                "image for what is taken for what. Ask for accuracy, exact_match, "
                "precision_and_recall."
            )
