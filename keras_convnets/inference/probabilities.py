"""What a classifier says of images: their classes' probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes

# How far the sum of a row of probabilities may be off: bfloat16 has three digits.
_ABOUT_ONE = 0.01


def probabilities(
    model: Any, batches: Iterable[Any], describe: Callable[[int], str] = "image {}".format
) -> np.ndarray:
    """Return the probability of every class for every image of some batches, in float32.

    What a model without a softmax at its end puts out are logits; their softmax is taken here. That
    is told by the numbers: probabilities are not negative, and each row sums up to 1.

    Args:
        model: a classifier of one output.
        batches: arrays of preprocessed images, in the data format of the model.
        describe: from an image's number to what an error calls it.

    Raises:
        ValueError: the model puts out NaN or infinity.
    """

    def call(x: Any) -> Any:
        return tf.cast(model(x, training=False), tf.float32)

    # One trace for every size of batch, the last and smaller one included.
    forward = tf.function(call, [tf.TensorSpec(model.input_shape, tf.float32)], autograph=False)
    outputs = np.concatenate([forward(batch).numpy() for batch in batches])
    broken = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    if len(broken):
        raise ValueError(
            f"model: {model.name} puts out NaN or infinity for {len(broken)} of {len(outputs)} "
            f"images, {describe(int(broken[0]))} the first; expected numbers. Its weights are "
            "broken: take those of an earlier checkpoint, or train with a lower learning rate."
        )
    return outputs if _are_probabilities(outputs) else _softmax(outputs)


def check_takes(model: Any, image_shape: Sequence[int]) -> None:
    """Refuse a model that is no classifier of images of ``(channels, rows, cols)``."""
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.output_shape) != 2:
        raise ValueError(
            f"model: {model.name} takes {model.input_shape} and puts out {model.output_shape}; "
            "expected one input, and one output of shape (None, classes). Build it with a "
            "classifier at its end and include_auxiliary=False."
        )
    takes = axes.in_papers_order(model.input_shape, axes.format_of(model))
    fits = (size in (None, given) for size, given in zip(takes, image_shape, strict=True))
    if not all(fits):
        raise ValueError(
            f"model: {model.name} takes images of {takes}; expected {tuple(image_shape)}, as the "
            "preprocessing makes them. Take the preprocessing of the model's own run."
        )


def _are_probabilities(outputs: np.ndarray) -> bool:
    sums = outputs.sum(axis=1)
    return bool(outputs.min() >= 0 and np.abs(sums - 1).max() < _ABOUT_ONE)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
