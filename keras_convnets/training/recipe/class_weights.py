"""Weights of the classes in the loss: those of rare classes are larger, or as they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_convnets import checks
from keras_convnets.received import shown
from keras_convnets.training.data.data import Data


def weights_of(data: Data, given: str | Mapping[str, float]) -> np.ndarray:
    """Return the weight of each class, float32.

    Args:
        data: the data, whose training images are counted.
        given: ``"balanced"`` for the number of images divided by the number of classes and that of
            the images of the class, as scikit-learn defines it, or weights by the name of the
            class; 1 for the others.

    Raises:
        ValueError: images may have several classes, a name is that of no class, or all weights are
            1.

    Examples:
        >>> images = np.random.default_rng(0).integers(0, 256, (8, 4, 4), "uint8")
        >>> data = Data.from_arrays(images, [0] * 6 + [1] * 2, images, [0] * 6 + [1] * 2)
        >>> weights_of(data, "balanced").tolist(), weights_of(data, {"1": 3}).tolist()
        ([0.6666666865348816, 2.0], [1.0, 3.0])
    """
    names = data.class_names
    if data.has_several:
        raise ValueError(
            f"class_weights: received {shown(given)} for images that may have several classes; "
            "expected one class an image. Leave it out."
        )
    if isinstance(given, str):
        counts = np.bincount(data.train.labels, minlength=len(names))
        weights = len(data.train) / (len(names) * np.maximum(counts, 1))
        same = f"all classes have {counts[0]:,} images"
    else:
        for name in given:
            if names.count(name) != 1:
                what = "two classes" if name in names else "no class"
                raise ValueError(
                    f"class_weights: received a weight of {shown(name)}, the name of {what} of "
                    f"{data.name}; expected names such as {shown(names[0])}."
                    f"{checks.did_you_mean(name, names)}"
                )
        weights = np.array([given.get(name, 1.0) for name in names])
        same = "all weights are 1"
    if (weights == 1).all():
        raise ValueError(
            f"class_weights: received {shown(given)}, which has no effect on {data.name}, for "
            f"{same}; expected weights that differ. Leave it out."
        )
    return weights.astype(np.float32)


@keras.saving.register_keras_serializable("keras_convnets")
class WeightedLoss(keras.losses.Loss):
    """A cross-entropy in which each class has a weight.

    An image counts as much as the weight of its class. Where its label is the share of several
    classes, as by mixup, the cross-entropy of each class has its weight; where the classes have a
    sigmoid each, the image has the mean weight of its classes. The mean is that of the images.

    Args:
        loss: a cross-entropy of Keras.
        weights: the weight of each class.
    """

    def __init__(self, loss: Any, weights: Any, **options: Any) -> None:
        if isinstance(loss, dict):
            loss = keras.losses.deserialize(loss)
        super().__init__(**{"name": loss.name} | options)
        self._loss, self._weights = loss, np.asarray(weights, np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each image."""
        weights = ops.convert_to_tensor(self._weights, dtype=self.dtype)
        if isinstance(self._loss, keras.losses.SparseCategoricalCrossentropy):
            of_images = ops.take(weights, ops.reshape(ops.cast(y_true, "int32"), (-1,)))
        elif y_true.shape[-1] == 1:  # one output, for the second of two classes
            of_images = weights[0] + (weights[1] - weights[0]) * ops.reshape(y_true, (-1,))
        else:
            of_classes = y_true * weights
            of_images = ops.sum(of_classes, axis=-1) / ops.maximum(ops.sum(y_true, axis=-1), 1e-7)
            if isinstance(self._loss, keras.losses.CategoricalCrossentropy):
                y_true = of_classes / ops.expand_dims(of_images, -1)
        return self._loss.call(y_true, y_pred) * of_images

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for Keras."""
        inner = keras.losses.serialize(self._loss)
        return super().get_config() | {"loss": inner, "weights": self._weights.tolist()}
