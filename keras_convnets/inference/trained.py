"""A trained model and what is known of its images and classes: enough to evaluate and predict."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import axes
from keras_convnets.images.class_names import class_names_of
from keras_convnets.images.fitted import for_input
from keras_convnets.images.preprocessing import Preprocessing, preprocessing_of
from keras_convnets.inference.every_output import every_output


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """A trained model that classifies images.

    Attributes:
        model: the model.
        preprocessing: the preprocessing of its images.
        class_names: the names of its classes, by label.
    """

    model: Any
    preprocessing: Preprocessing
    class_names: tuple[str, ...]


def trained(model: Any, whose: str) -> TrainedModel:
    """Return a model with the preprocessing and the class names that it knows.

    Classes without names are called by their labels.

    Args:
        model: the model.
        whose: where it is from, for the error.

    Raises:
        ValueError: it is no classifier, or how its images are prepared is unknown.
    """
    [outputs, *_] = every_output(model).values()
    preprocessing = own_preprocessing(model)
    if preprocessing is None:
        raise ValueError(
            f"model: received {whose}, which does not say how its images are prepared; expected a "
            "run, a published file of weights, or a model that was saved with them. Pass the "
            "preprocessing to predict and evaluate in Python."
        )
    names = class_names_of(model) or tuple(map(str, range(outputs.classes)))
    return TrainedModel(model, preprocessing, names)


def own_preprocessing(model: Any) -> Preprocessing | None:
    """Return the preprocessing that a classifier knows, for the size of its input; or ``None``."""
    preprocessing = preprocessing_of(model)
    if preprocessing is None:
        return None
    shape = axes.in_papers_order(model.inputs[0].shape, axes.format_of(model))
    known = preprocessing.image_shape
    channels, rows, cols = (size or usual for size, usual in zip(shape, known, strict=True))
    return for_input(preprocessing, (channels, rows, cols))
