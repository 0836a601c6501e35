"""Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365): the gradient of the class
score to the pixels, averaged on the straight way from an image of nothing to the image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_convnets import checks
from keras_convnets.explaining.differentiation import gradient, traced
from keras_convnets.explaining.maps.baseline import baseline_of
from keras_convnets.explaining.maps.task import Maps, Task, are_flat, without_gradient
from keras_convnets.explaining.scores import ClassScores, to_numpy, to_tensor
from keras_convnets.inference.compiled import kept

Tensor = Any

STEPS = 512
_FIRST = 48  # steps; the paper advises 20 to 300
_NEAR = 0.005  # of the difference of scores, at which no finer steps are taken
_TINY = 1e-6  # of all contributions: a difference of scores that is nothing beside them


def integrated_gradients(task: Task, *, steps: int = STEPS, baseline: Any = 0.0) -> Maps:
    """Add up what each pixel contributes to the difference of the score from that of the baseline.

    Each step is cut into three until a map adds up to that difference within 0.5 %.

    Args:
        task: the images.
        steps: the most steps on the way.
        baseline: the image of nothing, in the numbers that the network takes: one for all, or one
            a channel.
    """
    checks.positive_integer("steps", steps, "the most steps on the way, such as 512")
    nothing = baseline_of(task, baseline)
    scores = task.scores.of(task.images)
    [at_nothing] = task.scores.of(nothing[np.newaxis])
    found = [
        _integrated(_Path(task, image, nothing, label), float(of[label] - at_nothing[label]), steps)
        for image, of, label in zip(task.images, scores, task.labels_for(scores), strict=True)
    ]
    contributions, gaps = (np.array(each) for each in zip(*found, strict=True))
    maps = contributions.sum(axis=task.channel_axis)
    return Maps(maps, scores, are_flat(contributions), gaps)


def _integrated(path: _Path, wanted: float, steps: int) -> tuple[np.ndarray, float]:
    """Return what each number of an image contributes, and how far their sum is off.

    The gradient is taken in the middle of each step: at its ends, such as where a ReLU is given 0,
    it may not be that of the way. A third of a step has the same middle as the step.
    """
    count = min(_FIRST, steps)
    mean = path.gradients((np.arange(count) + 0.5) / count) / count
    while True:
        found = mean * path.length
        least = max(_TINY * float(abs(found).sum()), _TINY)
        gap = abs(float(found.sum()) - wanted) / max(abs(wanted), least)
        if gap <= _NEAR or 3 * count > steps:
            return found.astype(np.float32), gap
        count *= 3
        others = np.arange(count).reshape(-1, 3)[:, ::2].ravel()
        mean = (mean + path.gradients((others + 0.5) / count) / (count / 3)) / 3


class _Path:
    """The straight way from nothing to an image.

    Attributes:
        length: the difference of the two.
    """

    def __init__(self, task: Task, image: np.ndarray, nothing: np.ndarray, label: Any) -> None:
        self.length = image - nothing
        self._task, self._nothing = task, nothing
        self._gradient = _gradient_of(task.scores)
        self._wanted = np.eye(task.scores.outputs.classes, dtype=np.float32)[label]

    def gradients(self, places: np.ndarray) -> np.ndarray:
        """Return the sum of the gradients at places, 0 to 1."""
        total: np.ndarray = np.zeros(self.length.shape, np.float64)
        for start in range(0, len(places), self._task.batch_size):
            some = places[start : start + self._task.batch_size].astype(np.float32)
            batch = self._nothing + some[:, None, None, None] * self.length
            found = self._gradient(to_tensor(batch), to_tensor(self._wanted))
            if found is None:
                raise without_gradient(self._task.scores.model)
            total += to_numpy(found).sum(axis=0)
        return total


def _gradient_of(scores: ClassScores) -> Callable[[Tensor, Tensor], Tensor | None]:
    """Return the function of images, and of the share of each class's score, to the gradient."""

    def of(images: Tensor, wanted: Tensor) -> Tensor | None:
        return gradient(lambda at: (keras.ops.sum(scores(at) * wanted), None), images)[0]

    def compiled(model: Any) -> Callable[[Tensor, Tensor], Tensor | None]:
        return traced(of, model.inputs[0].shape, (scores.outputs.classes,))

    made: Callable[[Tensor, Tensor], Tensor | None] = kept(scores.model).get("gradient", compiled)
    return made
