"""The metrics of a classifier on labelled images."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_convnets.inference import mistakes
from keras_convnets.inference.calibration import Calibration, calibration
from keras_convnets.inference.class_scores import ClassScores, Means, mean_of
from keras_convnets.inference.evaluable import check_evaluable, check_one_class
from keras_convnets.inference.mistakes import Confusion, Mistake, WrongLabel
from keras_convnets.inference.ranking import rankings

TOP = 5
_LIKELY = 0.5  # the threshold for predicting a class of a multi-label image


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
        others: the evaluations of the further outputs of a model that has several, by their names.

    Raises:
        ValueError: there are no images, a probability is not finite, or the labels are not those of
            the classes.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray | None = None
    are_independent: bool = False
    others: Mapping[str, Evaluation] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_evaluable(self.labels, self.probabilities)

    @property
    def has_several(self) -> bool:
        """Whether the images are multi-label."""
        return self.labels.ndim == 2

    @functools.cached_property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image; the first one in a tie."""
        check_one_class(self.labels)
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
        check_one_class(self.labels)
        classes = np.arange(self.probabilities.shape[1])
        of_truth = np.take_along_axis(self.probabilities, self.labels[:, None], axis=1)
        # In a tie, the first class wins, as in `predictions`.
        wins = self.probabilities == of_truth
        wins &= classes < self.labels[:, None]
        wins |= self.probabilities > of_truth
        return float((wins.sum(axis=1) < TOP).mean())

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        """The number of images by true class (row) and predicted class (column)."""
        classes = self.probabilities.shape[1]
        pairs = self.labels.astype(np.int64) * classes + self.predictions
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    @property
    def class_images(self) -> np.ndarray:
        """The number of images of each class."""
        return self._scores.images

    @property
    def class_accuracy(self) -> np.ndarray:
        """The share of each class's images that are classified correctly: `recall`."""
        return self.recall

    @property
    def precision(self) -> np.ndarray:
        """The share of the images predicted as each class that belong to it; NaN if none are."""
        return self._scores.precision

    @property
    def recall(self) -> np.ndarray:
        """The share of each class's images that are predicted as it; NaN if it has none."""
        return self._scores.recall

    @property
    def f1(self) -> np.ndarray:
        """The harmonic mean of each class's precision and recall; NaN if it has no images."""
        return self._scores.f1

    @property
    def precision_and_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """The precision and the recall of each class."""
        return self.precision, self.recall

    @property
    def roc_auc(self) -> np.ndarray:
        """The area under each class's ROC curve, the class against all others.

        It is the probability that an image of the class gets a higher probability of it than
        another image; ties count half. NaN if no image or every image has the class.
        """
        return self._rankings[0]

    @property
    def average_precision(self) -> np.ndarray:
        """The average precision of each class against all others; NaN if it has no images."""
        return self._rankings[1]

    @functools.cached_property
    def macro(self) -> Means:
        """The means of the classes' metrics, over the classes that have images and a value."""
        return self._means(weighted=False)

    @functools.cached_property
    def weighted(self) -> Means:
        """The same means, in which a class counts as often as it has images."""
        return self._means(weighted=True)

    @property
    def micro(self) -> Means:
        """Precision, recall and F1 of all predictions, whatever their class."""
        return self._scores.micro()

    @functools.cached_property
    def calibration(self) -> Calibration:
        """Confidence against accuracy, in 15 bins: of the predicted class of each image.

        For multi-label images, every probability is one prediction, and it is right if the image
        has the class.

        Raises:
            ValueError: a probability is not from 0 to 1.
        """
        confidence = self.probabilities if self.has_several else self.probabilities.max(axis=1)
        right = self.labels if self.has_several else self.predictions == self.labels
        return calibration(confidence, right)

    @property
    def ece(self) -> float:
        """The expected calibration error: the mean gap between confidence and accuracy."""
        return self.calibration.ece

    def most_wrong(self, count: int) -> list[Mistake]:
        """Return up to ``count`` mistakes, the most confident first."""
        confidence = self.probabilities.max(axis=1)
        return mistakes.most_wrong(self.labels, self.predictions, confidence, count)

    def most_wrong_labels(self, count: int) -> list[WrongLabel]:
        """Return up to ``count`` wrong labels of multi-label images, the most confident first."""
        return mistakes.most_wrong_labels(self.labels, self._found, self.probabilities, count)

    def most_confused(self, count: int | None = None) -> list[Confusion]:
        """Return up to ``count`` confusions of two classes, the most frequent first."""
        return mistakes.most_confused(self.confusion, count)

    @functools.cached_property
    def _scores(self) -> ClassScores:
        if self.has_several:
            found = self._found
            return ClassScores(
                (found * self.labels).sum(axis=0), found.sum(axis=0), self.labels.sum(axis=0)
            )
        matrix = self.confusion
        return ClassScores(matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1))

    @functools.cached_property
    def _rankings(self) -> tuple[np.ndarray, np.ndarray]:
        scores = self.probabilities
        if scores.shape[1] == 2 and not self.are_independent:
            # One number says both: 1 - p would make equal what is not.
            scores = np.stack([-scores[:, 1], scores[:, 1]], axis=1)
        return rankings(scores, self.labels)

    def _means(self, weighted: bool) -> Means:
        every = (self.precision, self.recall, self.f1, self.roc_auc, self.average_precision)
        return Means(*(mean_of(values, self.class_images, weighted) for values in every))

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
