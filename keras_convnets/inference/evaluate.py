"""How good a classifier is: one pass over images, and all that can be told from it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.errors import RunStopped
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.reading import unreadable
from keras_convnets.inference.probabilities import check_takes, probabilities

TOP = 5

# Keras' own limit of a probability in a loss, so that a class that is ruled out costs 16, not inf.
_LEAST = 1e-7


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

    Attributes:
        labels: the class of each image; shape `(images,)`.
        probabilities: what the model puts out for each image; shape `(images, classes)`, float32.
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @functools.cached_property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image; the first of several that are equal."""
        return self.probabilities.argmax(axis=1)

    @functools.cached_property
    def loss(self) -> float:
        """The mean cross-entropy, in nats; without weight decay or other penalties."""
        given = self._given.astype(np.float64)
        return float(-np.log(np.clip(given, _LEAST, 1 - _LEAST)).mean())

    @functools.cached_property
    def accuracy(self) -> float:
        """The share of the images whose class is the most probable one."""
        return float((self.predictions == self.labels).mean())

    @functools.cached_property
    def top5(self) -> float:
        """The share of the images whose class is one of the five most probable ones."""
        given = self._given[:, None]
        above = self.probabilities > given
        # Of equal ones the first is the more probable, as in `predictions`.
        classes = np.arange(self.probabilities.shape[1])
        equal = (self.probabilities == given) & (classes < self.labels[:, None])
        return float(((above | equal).sum(axis=1) < TOP).mean())

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        """How many images of each class (row) are taken for each class (column)."""
        classes = self.probabilities.shape[1]
        places = self.labels.astype(np.int64) * classes + self.predictions
        return np.bincount(places, minlength=classes**2).reshape(classes, classes)

    @functools.cached_property
    def class_accuracy(self) -> np.ndarray:
        """The share of each class's images that is classified right; NaN where it has none."""
        images = self.confusion.sum(axis=1)
        right = self.confusion.diagonal().astype(float)
        return np.divide(right, images, out=np.full(len(images), np.nan), where=images > 0)

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
    def _given(self) -> np.ndarray:
        """The probability of each image's own class."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]


def evaluate(
    model: Any, images: Images, preprocessing: Preprocessing, batch_size: int = 256
) -> Evaluation:
    """Put images with known classes through a model, and return what it says of them.

    Every image counts once and alike, whatever the batches. Nothing is trained, dropped out or
    augmented. The loss is the cross-entropy alone: what ``fit`` shows has the penalty for large
    weights in it.

    Args:
        model: a classifier of one output, in either data format.
        images: the images, as they come.
        preprocessing: what is done to each: that of the run that the model is from.
        batch_size: images that the model takes at once; what fits into the memory.

    Raises:
        ValueError: there are no images, the model does not take them or has too few outputs for
            their classes, or it puts out no numbers.
        RunStopped: an image cannot be read.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import evaluate, load_data
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1,))
        >>> data = load_data("digits", image_size=16)
        >>> found = evaluate(model, data.test, data.preprocessing)
        >>> found.probabilities.shape
        (360, 10)
    """
    checks.positive_integer("batch_size", batch_size, "images that fit into the memory")
    if not len(images):
        raise ValueError("images: received none; expected at least one. Name data that have some.")
    check_takes(model, preprocessing.image_shape)
    if images.labels.max() >= model.output_shape[-1]:
        raise ValueError(
            f"images: received {images.labels.max() + 1} classes, but {model.name} has "
            f"{model.output_shape[-1]} outputs; expected at least one for each class. Evaluate it "
            "on data of the classes that it was trained on."
        )
    batches = evaluation_batches(images, preprocessing, batch_size, axes.format_of(model))
    try:
        found = probabilities(model, (batch[0] for batch in batches), images.describe)
    except tf.errors.OpError as error:
        broken = unreadable(images)
        if broken is None:
            raise
        raise RunStopped(f"cannot read an image: {broken}. Mend it or take it away.") from error
    return Evaluation(np.asarray(images.labels), found)


def by_class(evaluation: Evaluation, class_names: Sequence[str], heading: str) -> Table:
    """Return a table with a row for each class, the whole as the total and in its notes."""
    taken = {mistake.label: mistake for mistake in reversed(evaluation.most_confused())}
    rows = []
    for label, name in enumerate(class_names):
        images = int(evaluation.confusion[label].sum())
        share = Share(evaluation.class_accuracy[label]) if images else None
        most = taken.get(label)
        other = f"{class_names[most.predicted]} ({most.count})" if most else None
        rows.append((name, images, int(evaluation.confusion[label, label]), share, other))
    right = int(evaluation.confusion.trace())
    accuracy = Share(evaluation.accuracy)
    note = (
        f"{heading}: loss {evaluation.loss:.4f} (cross-entropy, without penalties), "
        f"accuracy {accuracy}, top-5 {Share(evaluation.top5)}."
    )
    columns = (
        Column("class", "class"),
        Column("images", "images", is_number=True),
        Column("correct", "correct", is_number=True),
        Column("accuracy", "accuracy", is_number=True),
        Column("taken_for", "most often taken for"),
    )
    total = ("total", len(evaluation.labels), right, accuracy, None)
    return Table(columns, tuple(rows), (note,), total)
