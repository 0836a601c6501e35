"""The predictions of a classifier: class probabilities of images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.inference.classifier import check_weights
from keras_convnets.inference.outputs import Outputs, outputs_of


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """The predictions of a classifier, with one column per class.

    A single output becomes the second of two columns.

    Attributes:
        probabilities: class probabilities, float32, shape `(images, classes)`.
        logits: the logits of these probabilities if the model outputs logits; otherwise ``None``.
    """

    probabilities: np.ndarray
    logits: np.ndarray | None = None


def answers(
    model: Any, batches: Iterable[Any], describe: Callable[[int], str] = "image {}".format
) -> Answers:
    """Run a classifier on batches of images.

    Args:
        model: a classifier with one output.
        batches: arrays of preprocessed images, in the data format of the model.
        describe: a function from an image's index to its name in errors.

    Raises:
        ValueError: the kind of the outputs cannot be determined, or they or the weights are NaN or
            infinite.
    """
    outputs = outputs_of(model)
    return _read(outputs, _values(model, batches, describe))


def _read(outputs: Outputs, values: np.ndarray) -> Answers:
    if not outputs.is_logits:
        return Answers(np.hstack([1 - values, values]) if outputs.is_binary else values)
    # The softmax of (0, logit) is (1 - sigmoid(logit), sigmoid(logit)).
    logits = np.hstack([np.zeros_like(values), values]) if outputs.is_binary else values
    return Answers(keras.ops.convert_to_numpy(keras.ops.softmax(logits)), logits)


def _values(model: Any, batches: Iterable[Any], describe: Callable[[int], str]) -> np.ndarray:
    """Return the outputs of a model in float32."""
    forward = _forward(model)
    values = np.concatenate([forward(tf.cast(batch, tf.float32)) for batch in batches])
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(broken):
        raise ValueError(
            f"model: {model.name} outputs NaN or infinity for {len(broken)} of {len(values)} "
            f"images, {describe(int(broken[0]))} the first; expected numbers. Its weights are "
            "broken: take those of an earlier checkpoint, or train with a lower learning rate."
        )
    check_weights(model)
    return values


def _forward(model: Any) -> Callable[[tf.Tensor], np.ndarray]:
    """Return a function that runs a model on a batch, on any backend of Keras."""
    if keras.backend.backend() != "tensorflow":
        return lambda batch: np.asarray(model.predict_on_batch(batch.numpy()), np.float32)

    def call(x: Any) -> Any:
        return tf.cast(model(x, training=False), tf.float32)

    # One trace for all batch sizes, including the smaller last batch. TensorFlow would warn of the
    # traces of several evaluations if the function itself were called.
    signature = [tf.TensorSpec(model.inputs[0].shape, tf.float32)]
    forward = tf.function(call, signature, autograph=False).get_concrete_function()
    return lambda batch: forward(batch).numpy()
