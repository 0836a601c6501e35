"""Whether a run can fit into memory, before anything of it is made; and what to say if not."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_convnets import memory
from keras_convnets.analysis.cost.cost import Cost, cost
from keras_convnets.analysis.cost.least_memory import of_training
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.optimizers import values_per_weight
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.words import shape

REMEDY = (
    "Use a smaller --batch-size (batch_size) or --image-size (image_size), or --precision "
    "mixed_bfloat16"
)
_VALUE = 4  # bytes of a pixel as the network takes it
_BATCHES = 2  # one that is trained on, and one that is prepared
# A dense layer after feature maps can take this many bytes of weights for each pixel of the image.
_WEIGHTS_A_PIXEL = 2**15


def asked(recipe: Recipe, data: Data) -> str:
    """Return what a run asks of the memory, in words."""
    return f"a step of {recipe.batch_size:,} images of {shape(data.image_shape)}"


def can_be_too_large(image_shape: Sequence[int]) -> bool:
    """Return whether the weights alone may not fit, so that they are counted before they are made.

    To count them costs building the network twice.
    """
    return math.prod(image_shape) * _WEIGHTS_A_PIXEL > memory.available()


def check_memory(model: Any, data: Data, recipe: Recipe, is_outline: bool = False) -> None:
    """Refuse a run whose first step cannot possibly fit into the memory of this machine.

    Args:
        model: the model, or an outline of it whose weights have no values yet.
        data: the data.
        recipe: the training recipe.
        is_outline: whether the model is such an outline.

    Raises:
        OutOfMemoryError: it does not fit.
    """
    found = _cost(model, data)
    needed = _BATCHES * _VALUE * recipe.batch_size * math.prod(data.image_shape)
    if found is not None and not tf.config.list_logical_devices("GPU"):
        needed += of_training(found, recipe.batch_size, values_per_weight(recipe))
    if found is not None and is_outline:
        needed += found.weight_bytes
    memory.check(needed, f"{model.name} with {asked(recipe, data)}", REMEDY)


def _cost(model: Any, data: Data) -> Cost | None:
    with contextlib.suppress(ValueError):  # a model whose cost is not known
        return cost(model, data.image_shape)
    return None
