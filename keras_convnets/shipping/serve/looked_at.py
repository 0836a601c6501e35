"""What the served model looked at in an image, for a person who asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_convnets.axes import format_of
from keras_convnets.explaining.explain import explain
from keras_convnets.explaining.feature_layer import feature_layer
from keras_convnets.explaining.figure.look import overlay, relative, scale_of
from keras_convnets.explaining.figure.page import address_of
from keras_convnets.explaining.taken import pictures
from keras_convnets.inference.predict import Classifier


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """The map of an image.

    Attributes:
        label: the class that it is for.
        probability: its probability.
        layer: the layer whose feature maps were looked at.
        picture: the image under its map, as the data URI of a PNG.
    """

    label: int
    probability: float
    layer: str
    picture: str


Look = Callable[[np.ndarray, "int | None"], LookedAt]
"""Takes an image as the model takes it, and a class, or ``None`` for the predicted one."""


def looking(run: Classifier) -> Look | None:
    """Return the function that explains an image; ``None`` for a model without feature maps."""
    model, preprocessing = run.model, run.preprocessing
    try:
        layer = feature_layer(model, None, preprocessing.image_shape)
    except ValueError:
        return None
    is_first = format_of(model) == "channels_first"

    def look(image: np.ndarray, label: int | None) -> LookedAt:
        batch: Any = image[np.newaxis]
        found = explain(model, batch, layer=layer.name, class_index=label, batch_size=1)
        [shares] = relative(found.maps, is_fine=False)
        [seen] = pictures(batch, is_first, preprocessing)
        mixed = np.rint(overlay(seen, shares, scale_of(found)) * 255).astype(np.uint8)
        return LookedAt(
            int(found.labels[0]), float(found.probability[0]), layer.name, address_of(mixed)
        )

    return look
