"""What a report says of the images that a model was tested on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets import axes, checks
from keras_convnets.analysis.tables import sizes
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.training.data.data import Data


@dataclasses.dataclass(frozen=True)
class Tested:
    """The classes and the images of a report; without ``images``, it shows no pictures.

    Attributes:
        title: the title of the page.
        summary: the numbers and the size of the images.
        image_shape: ``(channels, rows, cols)`` of the network's input.
        class_names: the class names, by label.
        images: the test images, if they are known.
        preprocessing: their preprocessing.
        skipped: files that were left out, each with the reason.
    """

    title: str
    summary: str
    image_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    images: Images | None = None
    preprocessing: Preprocessing | None = None
    skipped: tuple[str, ...] = ()


def tested(model: Any, data: Data | Sequence[str], evaluation: Evaluation) -> Tested:
    """Return what is known of the images, from their data or from the names of the classes.

    Raises:
        ValueError: the data is neither, or the evaluation is not of it.
    """
    checks.instance("evaluation", evaluation, Evaluation, "Pass what evaluate(model, ...) returns.")
    if isinstance(data, Data):
        return _of_data(model, data, evaluation)
    if isinstance(data, str) or not _are_names(data):
        raise ValueError(
            f"data: received {data!r}; expected Data, or the names of the classes by label, such "
            'as ("cat", "dog"). Pass what load_data or Data.from_arrays returns, or the names.'
        )
    return _of_names(model, tuple(data), evaluation)


def _are_names(data: Any) -> bool:
    return isinstance(data, Sequence) and all(isinstance(name, str) for name in data)


def _of_data(model: Any, data: Data, evaluation: Evaluation) -> Tested:
    classes = len(data.class_names)
    given, expected = evaluation.probabilities.shape, (len(data.test), classes)
    if given != expected:
        raise ValueError(
            f"evaluation: received one of {given[0]} images and {given[1]} classes; expected "
            f"{expected[0]} and {expected[1]}, the test images and classes of {data.name}. Pass "
            "evaluate(model, data.test, data.preprocessing)."
        )
    if not np.array_equal(evaluation.labels, data.test.labels):
        raise ValueError(
            f"evaluation: received one of labels that are not those of {data.name}, or in another "
            "order; expected data.test.labels, so that each mistake gets its own picture. Pass "
            "evaluate(model, data.test, data.preprocessing)."
        )
    counts = (
        f"{len(data.train):,} training and {len(data.test):,} test images of "
        f"{sizes(data.image_shape)}, {classes} classes"
    )
    title = f"{model.name} on {data.name}"
    return Tested(
        *(title, counts, data.image_shape, data.class_names),
        *(data.test, data.preprocessing, data.skipped),
    )


def _of_names(model: Any, names: tuple[str, ...], evaluation: Evaluation) -> Tested:
    images, classes = evaluation.probabilities.shape
    if len(names) != classes:
        raise ValueError(
            f"data: received {len(names)} names of classes for an evaluation of {classes}; "
            "expected one for each class, by label."
        )
    shape = axes.in_papers_order(model.input_shape, axes.format_of(model))
    known = tuple(size for size in shape if size is not None)
    if len(known) < len(shape):
        raise ValueError(
            f"data: received names of classes, but {model.name} takes images of any size, {shape}; "
            "expected Data, whose images have one. Pass what Data.from_arrays returns."
        )
    return Tested(
        model.name, f"{images:,} test images of {sizes(known)}, {classes} classes", known, names
    )
