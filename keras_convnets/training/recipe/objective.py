"""The training objective of a classifier: its loss, its accuracy, and labels in their format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.inference.fits import check_labels
from keras_convnets.inference.outputs import Outputs, outputs_of
from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.class_weights import WeightedLoss, weights_of
from keras_convnets.training.recipe.mixed_accuracy import MixedBinaryAccuracy


class Objective:
    """The loss and the accuracy that suit a model's outputs and its images' labels.

    | outputs | labels | loss | accuracy |
    |---|---|---|---|
    | softmax, or its logits | one class per image | categorical cross-entropy | of the top class |
    | one sigmoid, or its logit | one of two classes | binary cross-entropy | binary |
    | a sigmoid per class | one class per image | binary cross-entropy | of the top class |
    | a sigmoid per class | several classes | binary cross-entropy | binary, over all labels |

    Labels of mixup and CutMix are the share of each class. The accuracy is then that of the class
    with the largest share, for sigmoids of those with more than half.

    Args:
        model: a classifier; if it was built in the scope of a strategy, call this in that scope.
        data: the training data.
        label_smoothing: the share of a label that is spread over all classes, as in Keras.
        loss: ``"binary_crossentropy"`` to demand it; ``None`` for that of the table.
        class_weights: the weights of the classes in the loss, as in `Recipe`.

    Raises:
        ValueError: the kind of the outputs cannot be determined, or does not suit the labels or
            the loss.
    """

    def __init__(
        self,
        model: keras.Model,
        data: Data,
        label_smoothing: float = 0.0,
        loss: str | None = None,
        class_weights: str | Mapping[str, float] | None = None,
    ) -> None:
        self._outputs = outputs_of(model)
        if loss is not None and not (self._outputs.is_binary or self._outputs.are_independent):
            raise ValueError(
                f"loss: received {loss!r} with {model.name}, whose classes share a softmax; "
                'expected a sigmoid for each. Build it with classifier_activation="sigmoid", or '
                "leave the loss out."
            )
        self._has_several = data.train.labels.ndim == 2
        check_labels(model, self._outputs, data.train.labels)
        self._is_mixed = augmentation_named(data.augmentation).mixes
        # Smoothed or mixed labels and labels for sigmoids have one number per class.
        self._is_spread = bool(label_smoothing) or self._is_mixed or self._outputs.are_independent
        self.loss = self._loss(self._outputs, label_smoothing)
        if class_weights is not None:
            self.loss = WeightedLoss(self.loss, weights_of(data, class_weights))
        self.accuracy = self._accuracy(self._outputs)

    def labelled(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Return batches of images and labels, with the labels in the format of the loss."""
        return batches.map(lambda images, labels: (images, self.labels(labels)))

    def labels(self, labels: Any) -> Any:
        """Return a batch of labels in the format of the loss."""
        has_shares = len(labels.shape) == 2
        if self._outputs.is_binary:
            second = labels[:, 1] if has_shares else labels
            return tf.cast(second, tf.float32)[:, tf.newaxis]
        if has_shares:
            return tf.cast(labels, tf.float32)
        return tf.one_hot(labels, self._outputs.count) if self._is_spread else labels

    def _loss(self, outputs: Outputs, smoothing: float) -> keras.losses.Loss:
        logits = outputs.is_logits
        if outputs.is_binary or outputs.are_independent:
            return keras.losses.BinaryCrossentropy(from_logits=logits, label_smoothing=smoothing)
        if self._is_spread:
            return keras.losses.CategoricalCrossentropy(
                from_logits=logits, label_smoothing=smoothing
            )
        return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)

    def _accuracy(self, outputs: Outputs) -> keras.metrics.Metric:
        if outputs.is_binary or self._has_several:
            likely = 0.0 if outputs.is_logits else 0.5
            kind = MixedBinaryAccuracy if self._is_mixed else keras.metrics.BinaryAccuracy
            return kind(name="accuracy", threshold=likely)
        if self._is_spread:
            return keras.metrics.CategoricalAccuracy(name="accuracy")
        return keras.metrics.SparseCategoricalAccuracy(name="accuracy")
