"""The moving averages of a model's weights, in their place where a run validates and writes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.keras_private import averages_of


class Averages:
    """The averages that an optimizer keeps of the weights of its model, if it keeps any.

    Keras leaves the averages in the model at the end of each ``fit``, and a run calls ``fit`` once
    for each epoch: here it trains on from the weights that it had. Before the first step, the
    averages are the weights.

    Args:
        model: a compiled model whose optimizer is built.
    """

    def __init__(self, model: keras.Model) -> None:
        self._optimizer = model.optimizer
        inner = getattr(self._optimizer, "inner_optimizer", self._optimizer)  # of loss scaling
        self._variables: list[Any] = model.trainable_variables if inner.use_ema else []
        for variable, average in zip(self._variables, averages_of(inner), strict=False):
            average.assign(variable)
        if self._variables:
            self._optimizer.finalize_variable_values = _nothing

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Have the averages in the model; afterwards it has the weights that are trained."""
        trained = [tf.convert_to_tensor(variable.value).numpy() for variable in self._variables]
        if self._variables:
            type(self._optimizer).finalize_variable_values(self._optimizer, self._variables)
        try:
            yield
        finally:
            for variable, value in zip(self._variables, trained, strict=True):
                variable.assign(value)


def _nothing(variables: Sequence[Any]) -> None:
    """Leave the model as it is."""
