"""What a classifier says of images: their classes' probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.inference.outputs import Outputs, outputs_of


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier says of images, a column for each class.

    A single output is the second of two columns.

    Attributes:
        probabilities: shape `(images, classes)`, float32.
        logits: what these are the softmax of, where the model outputs logits; else ``None``.
    """

    probabilities: np.ndarray
    logits: np.ndarray | None = None


def answers(
    model: Any, batches: Iterable[Any], describe: Callable[[int], str] = "image {}".format
) -> Answers:
    """Put batches of images through a classifier.

    Args:
        model: a classifier of one output.
        batches: arrays of preprocessed images, in the data format of the model.
        describe: from an image's number to what an error calls it.

    Raises:
        ValueError: it cannot be told what the outputs are, or they are NaN or infinity.
    """
    outputs = outputs_of(model)
    return _read(outputs, _values(model, batches, describe))


def _read(outputs: Outputs, values: np.ndarray) -> Answers:
    if not outputs.is_logits:
        return Answers(np.hstack([1 - values, values]) if outputs.is_binary else values)
    # The softmax of 0 and a logit is one minus the logit's sigmoid, and that sigmoid.
    logits = np.hstack([np.zeros_like(values), values]) if outputs.is_binary else values
    return Answers(keras.ops.convert_to_numpy(keras.ops.softmax(logits)), logits)


def _values(model: Any, batches: Iterable[Any], describe: Callable[[int], str]) -> np.ndarray:
    """Return what a model outputs, in float32."""

    def call(x: Any) -> Any:
        return tf.cast(model(x, training=False), tf.float32)

    # One trace for every size of batch, the last and smaller one included.
    forward = tf.function(call, [tf.TensorSpec(model.input_shape, tf.float32)], autograph=False)
    values = np.concatenate([forward(batch).numpy() for batch in batches])
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(broken):
        raise ValueError(
            f"model: {model.name} outputs NaN or infinity for {len(broken)} of {len(values)} "
            f"images, {describe(int(broken[0]))} the first; expected numbers. Its weights are "
            "broken: take those of an earlier checkpoint, or train with a lower learning rate."
        )
    return values
