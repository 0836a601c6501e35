"""Mixup (Zhang et al. 2017) and CutMix (Yun et al. 2019): images mixed in pairs of neighbours.

The images at the positions 2k and 2k + 1 of an epoch are each other's partners. Epochs are
shuffled, so that these are any two; and they are on one replica, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.changes.boxes import by_rows, inside


def check_pairs(augmentation: str, batch_size: int, replicas: int) -> None:
    """Refuse a batch whose images cannot be mixed in pairs.

    Raises:
        ValueError: a replica would have an odd number of images.
    """
    if augmentation_named(augmentation).mixes and batch_size // replicas % 2:
        each = f", {batch_size // replicas} on each of {replicas} replicas" * (replicas > 1)
        raise ValueError(
            f"batch_size: received {batch_size}{each}; expected an even number, for mixup and "
            f"CutMix mix images in pairs. Pass {batch_size + replicas}, or leave them out."
        )


def mixed(
    images: tf.Tensor, labels: tf.Tensor, found: Mapping[str, tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return images and labels after mixing.

    Args:
        images: (batch, rows, cols, channels), an even number of them.
        labels: (batch, classes), float32.
        found: what was drawn for each image.
    """
    rows = by_rows(images)
    others = partners(rows)
    new = rows
    if "mixed" in found:
        kept = found["mixed"][:, tf.newaxis, tf.newaxis]
        new = kept * rows + (1 - kept) * others
    if "pasted" in found:
        new = tf.where(inside(found["pasted"], images), others, new)
    shares = found["share"][:, tf.newaxis]
    return (
        tf.ensure_shape(tf.reshape(new, tf.shape(images)), images.shape),
        shares * labels + (1 - shares) * partners(labels),
    )


def partners(values: tf.Tensor) -> tf.Tensor:
    """Return the values of each image's partner."""
    pairs = tf.reshape(values, (-1, 2, *values.shape[1:]))
    return tf.reshape(pairs[:, ::-1], tf.shape(values))
