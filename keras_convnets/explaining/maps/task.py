"""What a method is given, and what it returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_convnets.explaining.differentiation import gradient
from keras_convnets.explaining.feature_layer import FeatureLayer
from keras_convnets.explaining.scores import ClassScores, to_numpy

Tensor = Any


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """A batch of images whose class scores are to be explained.

    Attributes:
        scores: the class scores of the model.
        images: the images as the model takes them, float32.
        labels: the class to explain for each image; ``None`` for the one of the largest score.
        layer: the feature maps to look at, for the methods that do.
        batch_size: the images that the model takes at once.
        say: takes a line about the result.
    """

    scores: ClassScores
    images: np.ndarray
    labels: np.ndarray | None
    layer: FeatureLayer | None
    batch_size: int
    say: Callable[[str], None]

    @property
    def channel_axis(self) -> int:
        """The axis of the channels of the images."""
        return 1 if self.scores.is_first else 3

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns of the images."""
        shape = self.images.shape
        return shape[2:] if self.scores.is_first else shape[1:3]

    def feature_maps(self) -> FeatureLayer:
        """Return the layer of a method that looks at feature maps."""
        if self.layer is None:
            raise RuntimeError("a method that takes a layer was given none")
        return self.layer

    def labels_for(self, scores: np.ndarray) -> np.ndarray:
        """Return the class to explain for each image, given the scores of all of them."""
        return scores.argmax(axis=1) if self.labels is None else self.labels

    def gradient(
        self, function: Callable[[Tensor], tuple[Tensor, Any]], at: Tensor
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return the gradient of the scores to explain.

        Args:
            function: takes a tensor, and returns the scores of all classes and anything else.
            at: where the gradient is taken.

        Returns:
            The gradient, the scores `(images, classes)`, and what else the function has returned.

        Raises:
            ValueError: the scores do not depend on the tensor.
        """
        ops = keras.ops

        def explained(tensor: Tensor) -> tuple[Tensor, Any]:
            scores, rest = function(tensor)
            of = ops.argmax(scores, axis=1) if self.labels is None else self.labels
            wanted = ops.one_hot(of, scores.shape[1], dtype="float32")
            return ops.sum(scores * wanted), (scores, rest)

        found, (scores, rest) = gradient(explained, at)
        if found is None:
            raise without_gradient(self.scores.model)
        return to_numpy(found), to_numpy(scores), rest


@dataclasses.dataclass(frozen=True, eq=False)
class Maps:
    """What a method found.

    Attributes:
        maps: float32, `(images, rows, cols)`.
        scores: of all classes, float32, `(images, classes)`.
        are_flat: of each image, whether the gradient is 0 everywhere.
        gaps: for integrated gradients, how far each map's sum is from the difference of the scores
            that it should be, as a share of that.
    """

    maps: np.ndarray
    scores: np.ndarray
    are_flat: np.ndarray
    gaps: np.ndarray | None = None


def none_flat(images: np.ndarray) -> np.ndarray:
    """Return `Maps.are_flat` of a method that takes no gradient."""
    return np.zeros(len(images), bool)


def are_flat(gradients: np.ndarray) -> np.ndarray:
    """Return for each image whether its gradient is 0 everywhere."""
    return np.logical_not(gradients.reshape(len(gradients), -1).any(axis=1))


def without_gradient(model: Any) -> ValueError:
    """Return the error for a model whose scores have no gradient."""
    return ValueError(
        f"model: the class scores of {model.name} have no gradient to its images or feature maps; "
        "expected layers that can be differentiated. Leave out what rounds, compares or stops the "
        "gradient, or use method='occlusion', which needs none."
    )
