"""Images prepared the plain way: decoded whole, cropped, then resized by ``tf.image.resize``."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.photographs import MEAN, STD
from keras_convnets.images.labelled import Images
from keras_convnets.training.data.augmentation import AUGMENTATIONS


def plain_training(images: Images, batch: int) -> tf.data.Dataset:
    """Return an epoch of random crops, prepared the plain way."""
    augmentation = AUGMENTATIONS["resized-crop"]
    numbers = np.random.default_rng(0).random((len(images), augmentation.numbers), np.float32)

    def read(number: Any, numbers: Any) -> tuple[Any, Any]:
        image = augmentation.cut_out(images.read(number), numbers)
        image = tf.image.resize(tf.cast(image, tf.float32) / 255, (224, 224), antialias=True)
        return (image - MEAN) / STD, numbers

    rows = tf.data.Dataset.from_tensor_slices((np.arange(len(images)), numbers))
    batches = rows.map(read, tf.data.AUTOTUNE).batch(batch, drop_remainder=True)
    return batches.map(augmentation.shifted).prefetch(tf.data.AUTOTUNE)


def plain_evaluation(images: Images, batch: int) -> tf.data.Dataset:
    """Return all images for evaluation, prepared the plain way."""

    def read(number: Any) -> Any:
        image = tf.cast(images.read(number), tf.float32) / 255
        sides = tf.cast(tf.shape(image)[:2], tf.float32)
        sizes = tf.cast(tf.round(sides * 256 / tf.reduce_min(sides)), tf.int32)
        image = tf.image.resize(image, sizes, antialias=True)
        top, left = tf.unstack((sizes - 224) // 2)
        return (image[top : top + 224, left : left + 224] - MEAN) / STD

    rows = tf.data.Dataset.range(len(images))
    return rows.map(read, tf.data.AUTOTUNE).batch(batch).prefetch(tf.data.AUTOTUNE)
