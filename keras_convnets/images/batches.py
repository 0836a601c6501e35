"""Batches of images without augmentation, for evaluation and prediction, as ``tf.data``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.typed import explaining

AutoShardPolicy = tf.data.experimental.AutoShardPolicy
_READ = 8  # files at once, by one call of Python


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
    numbers, labels = np.arange(len(images)), images.labels
    if not gathered(images, preprocessing):
        batches = one_by_one(
            images,
            tf.data.Dataset.from_tensor_slices((numbers, labels)),
            lambda found, channels, turns, _: preprocessing.of_encoded(found, channels, turns),
            lambda pixels, _: preprocessing(pixels),
        )
        batches = batches.batch(batch_size)
    else:
        batches = tf.data.Dataset.from_tensor_slices((numbers, labels)).batch(batch_size)
        batches = mapped(batches, lambda many, labels: (preprocessing(images.read(many)), labels))
    batches = mapped(batches, lambda many, labels: (in_format(many, data_format), labels))
    return ahead(batches, AutoShardPolicy.DATA)  # several machines share each batch


def gathered(images: Images, preprocessing: Preprocessing) -> bool:
    """Return whether images have one size, are in memory and no larger than the network's input.

    Several batches of larger images, before resizing, might not fit in memory.
    """
    return images.array is not None and images.array[0].size <= math.prod(preprocessing.image_shape)


def one_by_one(
    images: Images,
    rows: tf.data.Dataset,
    of_encoded: Callable[..., tf.Tensor],
    of_pixels: Callable[..., tf.Tensor],
) -> tf.data.Dataset:
    """Return preprocessed images, each with the rest of its row.

    Args:
        images: the images.
        rows: the index of each image, and what else belongs to it.
        of_encoded: a function from the bytes of a file, its channels, whether any file is to be
            turned, and the rest of the row.
        of_pixels: a function from the pixels of an image and the rest of the row.
    """
    dataset, encoded = rows, images.encoded
    cores = os.cpu_count()
    if encoded is None:
        return mapped(
            dataset, lambda number, *rest: (of_pixels(images.read(number), *rest), *rest), cores
        )
    dataset = mapped(dataset.batch(_READ), lambda many, *rest: (encoded.read(many), *rest))
    dataset = dataset.unbatch().apply(tf.data.experimental.assert_cardinality(rows.cardinality()))
    return mapped(
        dataset,
        lambda found, *rest: (of_encoded(found, encoded.channels, encoded.turns, *rest), *rest),
        cores,
    )


def mapped(dataset: tf.data.Dataset, function: Any, together: int | None = None) -> tf.data.Dataset:
    """Return a data set with a function applied to each element.

    Args:
        dataset: the data set.
        function: the function, without Python control flow.
        together: elements at the same time; by default one for each processor, at most 16.
    """
    plain = tf.autograph.experimental.do_not_convert(function)
    return dataset.map(plain, together or tf.data.AUTOTUNE, deterministic=True)


def in_format(images: tf.Tensor, data_format: str) -> tf.Tensor:
    return tf.transpose(images, (0, 3, 1, 2)) if data_format == "channels_first" else images


def ahead(dataset: tf.data.Dataset, sharing: Any) -> tf.data.Dataset:
    options = tf.data.Options()
    options.deterministic = True
    # Images are prepared side by side; to share the work of one among threads costs more than it.
    options.threading.max_intra_op_parallelism = 1
    options.experimental_distribute.auto_shard_policy = sharing
    return untuned(dataset.with_options(options)).prefetch(tf.data.AUTOTUNE)


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return a data set without TensorFlow's tuning, unless its options ask for it.

    The thread that tunes works at 10 ms, 30 ms, 70 ms and so on, and when a pass ends, it often
    misses that it should: the pass then waits for its next time, up to as long again as it took.
    What has ``AUTOTUNE`` runs as before its first time: as many calls as processors, at most 16.
    """
    options = tf.data.Options()
    options.autotune.enabled = bool(dataset.options().autotune.enabled)
    return dataset.with_options(options)
