"""The metrics of a classifier on labelled images."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import numpy as np

TOP = 5
_LIKELY = 0.5  # the threshold for predicting a class of a multi-label image


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


class Share(float):
    """A share from 0 to 1, which is a number to programs and formatted as per cent for people."""

    def __format__(self, spec: str) -> str:
        return f"{float(self):.2%}"


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """The predictions of a model on labelled images, and the metrics computed from them.

    Multi-label images have no single predicted class: for them, `predictions`, `top5`, `confusion`,
    `most_wrong` and `most_confused` raise a `ValueError`.

    Attributes:
        labels: the class of each image, `(images,)`; for multi-label images, 0 or 1 for each class,
            `(images, classes)`.
        probabilities: class probabilities, float32, shape `(images, classes)`.
        logits: the logits of these probabilities if the model outputs logits; the loss is then
            computed from them.
        are_independent: whether each class has an independent probability, from a sigmoid.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray | None = None
    are_independent: bool = False

    @property
    def has_several(self) -> bool:
        """Whether the images are multi-label."""
        return self.labels.ndim == 2

    @functools.cached_property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image; the first one in a tie."""
        self._check_one()
        return self.probabilities.argmax(axis=1)

    @functools.cached_property
    def loss(self) -> float:
        """The mean cross-entropy in nats, without weight decay or other penalties.

        As in Keras, it is the binary cross-entropy, averaged over classes, if they are independent.
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
        """The share of images whose true class is the most probable one.

        For multi-label images, the share of all labels that are predicted correctly: Keras' binary
        accuracy.
        """
        if self.has_several:
            return float((self._found == self.labels).mean())
        return float((self.predictions == self.labels).mean())

    @functools.cached_property
    def exact_match(self) -> float:
        """The share of images with all labels predicted correctly."""
        if self.has_several:
            return float((self._found == self.labels).all(axis=1).mean())
        return self.accuracy

    @functools.cached_property
    def top5(self) -> float:
        """The share of images whose true class is among the five most probable ones."""
        self._check_one()
        classes = self.probabilities.shape[1]
        if classes <= TOP:
            return 1.0
        from sklearn.metrics import top_k_accuracy_score

        # In a tie, the last class would win here, but the first one wins in `predictions`.
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
        """The number of images by true class (row) and predicted class (column)."""
        from sklearn.metrics import confusion_matrix

        classes = np.arange(self.probabilities.shape[1])
        return confusion_matrix(self.labels, self.predictions, labels=classes)

    @functools.cached_property
    def class_accuracy(self) -> np.ndarray:
        """The share of each class's images that are classified correctly; NaN if it has none."""
        return self.precision_and_recall[1]

    @functools.cached_property
    def precision_and_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """The precision and the recall of each class; NaN if there is nothing to divide by.

        Precision is the share of images predicted as the class that belong to it; recall is the
        share of images of the class that are predicted as it.
        """
        from sklearn.metrics import precision_recall_fscore_support

        given = self._found if self.has_several else self.predictions
        precision, recall, *_ = precision_recall_fscore_support(
            self.labels, given, labels=np.arange(self.probabilities.shape[1]), zero_division=np.nan
        )
        return precision, recall

    def most_wrong(self, count: int) -> list[Mistake]:
        """Return up to ``count`` mistakes, the most confident first."""
        wrong = np.flatnonzero(self.predictions != self.labels)
        confidence = self.probabilities[wrong, self.predictions[wrong]]
        order = np.argsort(-confidence, kind="stable")[:count]
        return [
            Mistake(int(i), int(self.labels[i]), int(self.predictions[i]), float(sure))
            for i, sure in zip(wrong[order], confidence[order], strict=True)
        ]

    def most_confused(self, count: int | None = None) -> list[Confusion]:
        """Return up to ``count`` confusions of two classes, the most frequent first."""
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
        """For multi-label images, whether each class is predicted for each image."""
        return (self.probabilities > _LIKELY).astype(np.int32)

    @property
    def _targets(self) -> np.ndarray:
        """The target probabilities: 0 or 1 for each class."""
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
