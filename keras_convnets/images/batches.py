"""Batches of images without augmentation, for evaluation and prediction, as ``tf.data``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.typed import explaining

AutoShardPolicy = tf.data.experimental.AutoShardPolicy


@explaining
def evaluation_batches(
    images: Images,
    preprocessing: Preprocessing,
    batch_size: int,
    data_format: str = "channels_last",
) -> tf.data.Dataset:
    """Return batches of (images, labels), in order, preprocessed but not augmented.

    Args:
        images: the images and their labels.
        preprocessing: the preprocessing of the images.
        batch_size: images per batch; the last batch may be smaller.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        ValueError: the batch size is less than 1, or the format is unknown.
    """
    checks.positive_integer("batch_size", batch_size, "the images in a batch, such as 256")
    checks.choice("data_format", data_format, axes.FORMATS)
    rows = tf.data.Dataset.from_tensor_slices((np.arange(len(images)), images.labels))
    if not gathered(images, preprocessing):
        rows = mapped(rows, lambda number, label: (preprocessing(images.read(number)), label))
        batches = rows.batch(batch_size)
    else:
        batches = rows.batch(batch_size)
        batches = mapped(batches, lambda many, labels: (preprocessing(images.read(many)), labels))
    batches = mapped(batches, lambda many, labels: (in_format(many, data_format), labels))
    return ahead(batches, AutoShardPolicy.DATA)  # several machines share each batch


def gathered(images: Images, preprocessing: Preprocessing) -> bool:
    """Return whether images have one size, are in memory and no larger than the network's input.

    Several batches of larger images, before resizing, might not fit in memory.
    """
    return images.array is not None and images.array[0].size <= math.prod(preprocessing.image_shape)


def mapped(dataset: tf.data.Dataset, function: Any) -> tf.data.Dataset:
    plain = tf.autograph.experimental.do_not_convert(function)  # it has no Python control flow
    return dataset.map(plain, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def in_format(images: tf.Tensor, data_format: str) -> tf.Tensor:
    return tf.transpose(images, (0, 3, 1, 2)) if data_format == "channels_first" else images


def ahead(dataset: tf.data.Dataset, sharing: Any) -> tf.data.Dataset:
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = sharing
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
