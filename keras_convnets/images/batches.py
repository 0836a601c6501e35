"""Batches of images as they are, for evaluation and prediction, as ``tf.data``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing

AutoShardPolicy = tf.data.experimental.AutoShardPolicy


def evaluation_batches(
    images: Images,
    preprocessing: Preprocessing,
    batch_size: int,
    data_format: str = "channels_last",
) -> tf.data.Dataset:
    """Return images in order as (images, labels), preprocessed and unchanged otherwise.

    Args:
        images: what to look at.
        preprocessing: what is done to each.
        batch_size: images in a batch; the last one has the remainder.
        data_format: the order of the images' axes.

    Raises:
        ValueError: a batch of less than one image, or an unknown format.
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
    return ahead(batches, AutoShardPolicy.DATA)  # of several machines, each has its share of each


def gathered(images: Images, preprocessing: Preprocessing) -> bool:
    """Say whether images are of one size and in memory, and no larger than the network's input.

    A batch of larger ones, not resized yet, may not fit into memory several times over.
    """
    return images.array is not None and images.array[0].size <= math.prod(preprocessing.image_shape)


def mapped(dataset: tf.data.Dataset, function: Any) -> tf.data.Dataset:
    plain = tf.autograph.experimental.do_not_convert(function)  # it has no control flow of Python's
    return dataset.map(plain, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def in_format(images: tf.Tensor, data_format: str) -> tf.Tensor:
    return tf.transpose(images, (0, 3, 1, 2)) if data_format == "channels_first" else images


def ahead(dataset: tf.data.Dataset, sharing: Any) -> tf.data.Dataset:
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = sharing
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
