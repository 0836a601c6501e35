"""A trained model and what is known of its images and classes: enough to evaluate and predict."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets.images.class_names import class_names_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.every_output import every_output
from keras_convnets.inference.prepared import Said, preprocessing_for


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


def trained(model: Any, whose: str, preprocessing: Said = None) -> TrainedModel:
    """Return a model with the preprocessing and the class names that it knows.

    Classes without names are called by their labels.

    Args:
        model: the model.
        whose: where it is from, for the error.
        preprocessing: how its images are prepared, or the name of a usual way; by default what the
            model knows, or what its first layers tell.

    Raises:
        ValueError: it is no classifier, or how its images are prepared is unknown.
    """
    [outputs, *_] = every_output(model).values()
    images = preprocessing_for(model, preprocessing, whose)
    names = class_names_of(model) or tuple(map(str, range(outputs.classes)))
    return TrainedModel(model, images, names)
