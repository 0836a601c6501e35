"""What a report shows of the test images by their pooled features."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.printable import one_line
from keras_convnets.training.report.features import image_map, typical
from keras_convnets.training.report.features.image_map import ImageMap
from keras_convnets.training.report.features.pooled import pooled
from keras_convnets.training.report.features.typical import Typical
from keras_convnets.training.report.tested import Tested


@dataclasses.dataclass(frozen=True)
class Seen:
    """What is shown.

    Attributes:
        typical: the most typical image of each class that has one.
        map: the map of the images, if there is one.
        without: the labels of classes without a typical image.
        layer: the layer whose feature maps are pooled.
        note: why there is neither; empty if there is, or if the images are not known.
    """

    typical: tuple[Typical, ...] = ()
    map: ImageMap | None = None
    without: tuple[int, ...] = ()
    layer: str = ""
    note: str = ""


def seen(model: Any, evaluation: Evaluation, about: Tested) -> Seen:
    """Return what is shown of the test images, each of which has one class.

    Args:
        model: the trained model.
        evaluation: its evaluation.
        about: the test images.
    """
    images, preprocessing = about.images, about.preprocessing
    if images is None or preprocessing is None:
        return Seen()
    classes, on_map = typical.classes_of(evaluation), image_map.classes_of(evaluation)
    right = typical.candidates(evaluation, classes)
    shown = image_map.candidates(evaluation, on_map)
    try:
        features = pooled(model, images, preprocessing, np.union1d(right, shown))
        found = typical.typical(features, evaluation.labels, right, classes)
        drawn = image_map.image_map(features, evaluation, about, shown, on_map)
    except Exception as error:  # of anybody's layers; the report is written all the same
        return Seen(note=one_line(error))
    has = {one.label for one in found}
    without = tuple(label for label in classes if label not in has)
    return Seen(tuple(found), drawn, without, features.layer)
