"""Guided backpropagation (Springenberg et al. 2015, arXiv:1412.6806): the gradient of the class
score to the pixels, of which each ReLU passes back only what is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_convnets.explaining.forward import Hooks, Place
from keras_convnets.explaining.maps.task import Maps, Task, are_flat
from keras_convnets.explaining.scores import to_tensor
from keras_convnets.graph.layer_types import ACTIVATIONS
from keras_convnets.graph.walk import walk
from keras_convnets.inference.activations import LINEAR, RECTIFIED, activation_of

Tensor = Any


def guided_saliency(task: Task) -> Maps:
    """Take the largest absolute gradient of a pixel's channels, as Simonyan et al. 2014 do."""
    _check_activations(task)
    gradients, scores, _ = task.gradient(
        lambda images: (task.scores(images, _Guided()), None), to_tensor(task.images)
    )
    maps = np.abs(gradients).max(axis=task.channel_axis)
    return Maps(maps, scores, are_flat(gradients))


class _Guided(Hooks):
    def output(self, place: Place, layer: Any, output: Tensor) -> Tensor:
        return _only_positive(output) if _is_relu(layer) else output


def _passed_on(tensor: Tensor) -> Any:
    """Return a tensor as it is, and its gradient without what is negative."""

    def backward(*given: Tensor, upstream: Tensor = None) -> Tensor:
        return keras.ops.relu(given[0] if upstream is None else upstream)

    return tensor, backward


_only_positive: Callable[[Tensor], Tensor] = keras.ops.custom_gradient(_passed_on)


def _is_relu(layer: Any) -> bool:
    found = activation_of(layer)
    return found is not None and found.kind == RECTIFIED and not getattr(layer, "negative_slope", 0)


def _check_activations(task: Task) -> None:
    """Refuse a model without ReLU, for which the method is not defined; name other activations."""
    others: dict[str, int] = {}
    has_relu = False
    for call in walk(task.scores.model)[:-1]:
        activated = activation_of(call.layer)
        if _is_relu(call.layer):
            has_relu = True
        elif activated is not None and activated.kind != LINEAR:
            others[activated.name] = others.get(activated.name, 0) + 1
        elif activated is None and call.type in ACTIVATIONS:
            others[call.kind] = others.get(call.kind, 0) + 1
    words = ", ".join(f"{name} ({count})" for name, count in others.items())
    if not has_relu:
        raise ValueError(
            f"method: received 'guided_saliency' for {task.scores.model.name}, whose activations "
            f"are {words or 'none'}; expected ReLU, at which guided backpropagation is defined. "
            "Use method='integrated_gradients' or 'grad_cam'."
        )
    if others:
        task.say(f"guided_saliency: only ReLU is guided; the network also has {words}")
