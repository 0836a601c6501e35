"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) and Grad-CAM++ (Chattopadhay et al. 2018,
arXiv:1710.11063): feature maps, weighted by the gradient of the class score to them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_convnets.explaining.forward import Hooks, Place
from keras_convnets.explaining.maps.placing import placed
from keras_convnets.explaining.maps.task import Maps, Task, are_flat
from keras_convnets.explaining.scores import to_numpy, to_tensor

Tensor = Any


def grad_cam(task: Task) -> Maps:
    """Weight each channel by the mean of its gradient, and leave out what speaks against."""
    maps, gradients, scores = feature_gradients(task)
    weights = gradients.mean(axis=(1, 2))
    return Maps(weighted(task, maps, weights), scores, are_flat(gradients))


def grad_cam_plus_plus(task: Task) -> Maps:
    """Weight each channel by its positive gradients, each by its own share.

    The shares are those for the exponential of the score, whose derivatives are powers of the
    gradient; its value is a factor of the whole map.
    """
    maps, gradients, scores = feature_gradients(task)
    squared = gradients**2
    below = 2 * squared + maps.sum(axis=(1, 2), keepdims=True) * gradients**3
    shares = np.divide(squared, below, out=np.zeros_like(below), where=below != 0)
    weights = (shares * np.maximum(gradients, 0)).sum(axis=(1, 2))
    return Maps(weighted(task, maps, weights), scores, are_flat(gradients))


def feature_gradients(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return feature maps and the gradients to them, `(images, rows, cols, channels)`; and scores.

    The gradient is that to zeros added to the feature maps, of which every backend has one.
    """
    layer, images = task.feature_maps(), to_tensor(task.images)
    zeros = keras.ops.zeros((len(task.images), *layer.shape), layer.dtype)

    def scored(added: Tensor) -> tuple[Tensor, Tensor]:
        tap = Tap(layer.place, added)
        return task.scores(images, tap), tap.maps

    gradients, scores, maps = task.gradient(scored, zeros)
    maps = to_numpy(maps)
    if task.scores.is_first:
        maps, gradients = (one.transpose(0, 2, 3, 1) for one in (maps, gradients))
    return maps, gradients, scores


def weighted(task: Task, maps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the positive part of weighted feature maps, in the size of the images."""
    found = np.maximum(np.einsum("nrck,nk->nrc", maps, weights), 0)
    return placed(task, found)


class Tap(Hooks):
    """Keeps the output of a call, with something added to it.

    Attributes:
        maps: the output, once it is computed.
    """

    def __init__(self, place: Place, added: Tensor | None = None) -> None:
        self.maps: Tensor = None
        self._place, self._added = place, added

    def output(self, place: Place, layer: Any, output: Tensor) -> Tensor:
        if place != self._place:
            return output
        self.maps = output if self._added is None else output + self._added
        return self.maps
