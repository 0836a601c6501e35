"""Whether a model's weights are all numbers, asked for each evaluation and for many predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.inference.classifier import FLOATS, check_weights
from keras_convnets.inference.compiled import Kept


def check_sound(of_model: Kept) -> None:
    """Refuse a model whose weights are not all numbers: `check_weights` in a compiled function."""
    if not of_model.get("add_up", _adding_up)():
        check_weights(of_model.model)  # says which are broken, unless only their sum is too large


def check_sound_once(of_model: Kept) -> None:
    """Refuse broken weights once for a model as it is, and for each step of its training.

    It looks at each value of the weights, which took 0.4 of ResNet-50's run on one image of 128 x
    128. To compare their buffers with those of before took 0.1, and keeps the old ones in memory.
    """
    optimizer = getattr(of_model.model, "optimizer", None)
    steps = None if optimizer is None else int(optimizer.iterations)
    of_model.get("is_sound", lambda _: check_sound(of_model), of=steps)


def _adding_up(model: Any) -> Callable[[], bool]:
    """Return a function that returns whether the sums of all weights are numbers.

    A sum takes one look at each value, but may be infinite although the values are not.
    """
    if (
        keras.backend.backend() != "tensorflow"
        or model.distribute_strategy.num_replicas_in_sync > 1
    ):
        return lambda: False

    def add_up() -> tf.Tensor:
        values = [weight.value for weight in model.weights if str(weight.dtype) in FLOATS]
        sums = [tf.cast(tf.reduce_sum(value), tf.float32) for value in values]
        return tf.reduce_all(tf.math.is_finite(tf.stack(sums))) if sums else tf.constant(True)

    traced = tf.function(add_up, autograph=False).get_concrete_function()
    return lambda: bool(traced())
