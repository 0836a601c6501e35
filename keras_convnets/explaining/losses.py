"""The loss of each image, from the scores of the classes: the cross-entropy of training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_convnets.explaining.scores import ClassScores

Tensor = Any


def losses(of: ClassScores, scores: Tensor, labels: Any) -> Tensor:
    """Return the cross-entropy of each image, float32, `(images,)`, as a tensor.

    It is computed from logits, so it does not saturate where a softmax or a sigmoid does. With a
    sigmoid for each class, it is the mean over the classes.

    Args:
        of: what has computed the scores.
        scores: the scores of the images.
        labels: the class of each image, or 0 or 1 for each class: an array or a tensor.

    Raises:
        ValueError: the sigmoids of the model cannot be taken away, and no logits are known.
    """
    ops, outputs = keras.ops, of.outputs
    has_several = len(labels.shape) == 2
    if has_several and not of.are_logits:
        raise ValueError(
            f"model: {of.model.name} does not end in a sigmoid for each class, but in what is made "
            "of several; expected logits, or a sigmoid as the last layer. Pass a model of one part."
        )
    if outputs.is_binary and of.are_logits:
        scores, labels, has_several = scores[:, 1:], ops.reshape(labels, (-1, 1)), True
    right = ops.cast(
        labels if has_several else ops.one_hot(ops.cast(labels, "int32"), outputs.classes),
        "float32",
    )
    if has_several or (outputs.are_independent and of.are_logits):  # 1 for it, 0 elsewhere
        return ops.mean(ops.softplus(scores) - right * scores, axis=-1)
    return ops.logsumexp(scores, axis=-1) - ops.sum(scores * right, axis=-1)


def right_answers(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the share of right answers for each image: its label, or all its classes' own."""
    if labels.ndim == 2:
        return ((scores > 0) == (labels > 0)).mean(axis=1)
    return (scores.argmax(axis=1) == labels).astype(float)
