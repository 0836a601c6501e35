"""A Keras model as functions from a batch to its outputs, in each of the ways that Keras has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.inference.compiled import forward, to_numpy
from keras_convnets.shipping.benchmark.ways import COMPILED, FOLDED, PREDICT, XLA, Way

Run = Callable[[np.ndarray], np.ndarray]


def function_of(model: Any, way: Way) -> Run:
    """Return the function of a model; for `FOLDED`, the model is folded already.

    Raises:
        ValueError: the way needs TensorFlow, and Keras has another backend.
    """
    backend = keras.backend.backend()
    if way is not PREDICT and backend != "tensorflow":
        raise ValueError(
            f"the backend of Keras is {backend}; expected tensorflow. Set KERAS_BACKEND=tensorflow."
        )
    return _FUNCTIONS[way](model)


def _predicted(model: Any) -> Run:
    return lambda batch: np.asarray(model.predict(batch, batch_size=len(batch), verbose=0))


def _compiled(model: Any) -> Run:
    call = forward(model)
    return lambda batch: to_numpy(call(batch))


def _by_xla(model: Any) -> Run:
    signature = [tf.TensorSpec(model.inputs[0].shape, tf.float32)]
    call = tf.function(
        lambda batch: model(batch, training=False), signature, autograph=False, jit_compile=True
    ).get_concrete_function()
    return lambda batch: call(tf.constant(batch)).numpy()


_FUNCTIONS: dict[Way, Callable[[Any], Run]] = {
    PREDICT: _predicted,
    COMPILED: _compiled,
    FOLDED: _compiled,
    XLA: _by_xla,
}
