"""The output of one layer: a model is computed as far as that, and no further."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras_convnets.explaining.forward import Hooks, Place, forward
from keras_convnets.explaining.scores import to_numpy, to_tensor

Tensor = Any


class _Reached(Exception):  # noqa: N818 - an event, not an error
    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output


@dataclasses.dataclass(frozen=True)
class _Until(Hooks):
    place: Place

    def output(self, place: Place, layer: Any, output: Tensor) -> Tensor:
        if place == self.place:
            raise _Reached(output)
        return output


def tensor_at(model: Any, images: Tensor, place: Place) -> Tensor:
    """Return the output of a call, given images of any size that the layers before it take."""
    try:
        forward(model, images, _Until(place))
    except _Reached as reached:
        return reached.output
    raise AssertionError(f"{model.name} does not compute {place}")


def output_at(model: Any, images: np.ndarray, place: Place) -> np.ndarray:
    """Return the output of a call as an array of float32."""
    return to_numpy(tensor_at(model, to_tensor(images), place))
