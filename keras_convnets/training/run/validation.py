"""The evaluation after each epoch of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.inference.classifier import own_steps
from keras_convnets.training.recipe.objective import Objective


class Validation:
    """The loss and the accuracy of a model in training, by a function that is compiled once.

    They are those of Keras' ``evaluate``, penalties and label smoothing included, without what it
    does around each batch. Where a model is on several devices, or its class computes something of
    its own, Keras' ``evaluate`` does it.

    Args:
        model: the model, compiled with the loss and the accuracy of the objective.
        objective: the training objective.
    """

    def __init__(self, model: keras.Model, objective: Objective) -> None:
        self._model, self._objective = model, objective
        self._step: Callable[[Any, Any], None] | None = None

    def __call__(self, batches: tf.data.Dataset, callbacks: Any = None) -> dict[str, float]:
        """Return the ``loss`` and the ``accuracy`` of batches of images and labels.

        Args:
            batches: the batches.
            callbacks: a callback to tell of them, or ``None``.
        """
        batches = self._objective.labelled(batches)
        if self._model.distribute_strategy.num_replicas_in_sync > 1 or own_steps(self._model):
            found = self._model.evaluate(
                batches, verbose=0, return_dict=True, callbacks=[callbacks] if callbacks else None
            )
            return {name: float(value) for name, value in found.items()}
        if self._step is None:
            self._step = self._compiled(batches.element_spec)
        metrics = {"loss": self._model.metrics[0], "accuracy": self._objective.accuracy}
        for metric in metrics.values():
            metric.reset_state()
        for images, labels in batches if callbacks is None else _told(batches, callbacks, metrics):
            self._step(images, labels)
        return {name: float(metric.result()) for name, metric in metrics.items()}

    def _compiled(self, signature: Any) -> Callable[[Any, Any], None]:
        model, objective = self._model, self._objective
        mean_loss = model.metrics[0]

        def step(images: Any, labels: Any) -> None:
            outputs = model(images, training=False)
            # Keras takes the loss of a softmax from its logits, which only the graph still has.
            loss = objective.loss(labels, outputs)
            for penalty in model.losses:
                loss += keras.ops.sum(penalty)
            mean_loss.update_state(loss, sample_weight=tf.shape(images)[0])
            objective.accuracy.update_state(labels, outputs)

        options = {"autograph": False, "jit_compile": bool(model.jit_compile)}
        return tf.function(step, signature, **options)


def _told(batches: tf.data.Dataset, callbacks: Any, metrics: dict[str, Any]) -> Iterator[Any]:
    """Yield batches, and tell callbacks of them as Keras' ``evaluate`` does."""

    def logs() -> dict[str, Any]:
        return {name: metric.result() for name, metric in metrics.items()}

    callbacks.on_test_begin()
    for number, batch in enumerate(batches):
        callbacks.on_test_batch_begin(number)
        yield batch
        callbacks.on_test_batch_end(number, logs())
    callbacks.on_test_end(logs())
