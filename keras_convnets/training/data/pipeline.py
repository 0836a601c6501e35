"""Batches of images, as ``tf.data``: which they are depends on the arguments, on nothing else.

The order of an epoch and the random numbers of its augmentation are drawn before it begins, a row
for each position. So a run may go on from any step, and be spread over any number of replicas,
and each image is treated as it would have been.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.images.batches import ahead, gathered, in_format, mapped
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.reading import unreadable
from keras_convnets.training.data.augmentation import AUGMENTATIONS, Augmentation
from keras_convnets.training.data.data import Data

AutoShardPolicy = tf.data.experimental.AutoShardPolicy


def steps_per_epoch(data: Data, batch_size: int) -> int:
    """Return the whole batches in the training images; a remainder is left out.

    As every epoch has its own order, other images are left out each time.

    Raises:
        ValueError: the batch is larger than the training data.
    """
    checks.positive_integer("batch_size", batch_size, "the images a step, such as 32")
    if batch_size > len(data.train):
        raise ValueError(
            f"batch_size: received {batch_size}; expected at most the {len(data.train)} training "
            f"images of {data.name}. Pass a smaller batch."
        )
    return len(data.train) // batch_size


def training_batches(
    data: Data,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    first_step: int = 0,
    data_format: str = "channels_last",
    replicas: int = 1,
    pipeline: int = 0,
    pipelines: int = 1,
) -> tf.data.Dataset:
    """Return one epoch of training, shuffled and augmented, as (images, labels).

    Args:
        data: what to train on.
        batch_size: images a step, on all replicas together.
        seed: of the order and the augmentation.
        epoch: from 0; each has an order of its own.
        first_step: the step to begin with.
        data_format: the order of the images' axes.
        replicas: the devices that share each step; each is given ``batch_size // replicas`` images.
        pipeline: which of several pipelines this is, from 0.
        pipelines: how many pipelines feed the replicas. Each yields the batches of its own
            ``replicas // pipelines`` replicas, in turn, step by step.

    Returns:
        A data set of float32 images and int32 labels.

    Raises:
        ValueError: the batch does not fit the data or the replicas, or a number is out of range.

    Examples:
        >>> from keras_convnets.training import load_data, training_batches
        >>> batches = training_batches(load_data("digits"), 128, seed=0, epoch=0)
        >>> len(batches)
        11
        >>> batches.element_spec[0].shape
        TensorShape([128, 32, 32, 1])
    """
    steps = steps_per_epoch(data, batch_size)
    checks.choice("data_format", data_format, axes.FORMATS)
    _check_place(first_step, steps, batch_size, replicas, pipeline, pipelines)
    augmentation = AUGMENTATIONS[data.augmentation]
    places = np.arange(steps * batch_size).reshape(steps, pipelines, replicas // pipelines, -1)
    own = places[first_step:, pipeline].reshape(-1, batch_size // replicas)
    order, numbers = _drawn(len(data.train), augmentation.numbers, seed, epoch)
    rows = (order[own], numbers[own], data.train.labels[order[own]])
    batches = _read(data.train, data.preprocessing, augmentation, rows)

    def finish(images: tf.Tensor, numbers: tf.Tensor, labels: tf.Tensor) -> tuple[Any, Any]:
        return in_format(augmentation.shifted(images, numbers), data_format), labels

    # Each process names its own images, so there is nothing for tf.distribute to share out.
    return ahead(mapped(batches, finish), AutoShardPolicy.OFF)


def _drawn(images: int, numbers: int, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which image is at each position of an epoch, and that position's random numbers."""
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(images)
    return order, random.random((images, numbers), np.float32)


def _read(
    images: Images,
    preprocessing: Preprocessing,
    augmentation: Augmentation,
    rows: tuple[np.ndarray, ...],
) -> tf.data.Dataset:
    """Return batches of preprocessed images, their random numbers and labels.

    They are gathered a batch at a time where that can be, else read one by one.
    """
    if gathered(images, preprocessing) and not augmentation.random_resized_crop:
        batches = tf.data.Dataset.from_tensor_slices(rows)
        return mapped(
            batches,
            lambda many, numbers, labels: (preprocessing(images.read(many)), numbers, labels),
        )
    if augmentation.random_resized_crop:
        preprocessing = preprocessing.stretching()

    def read(number: tf.Tensor, numbers: tf.Tensor, label: tf.Tensor) -> tuple[Any, Any, Any]:
        image = augmentation.cut_out(images.read(number), numbers)
        return preprocessing(image), numbers, label

    one_by_one = tuple(array.reshape(-1, *array.shape[2:]) for array in rows)
    singles = mapped(tf.data.Dataset.from_tensor_slices(one_by_one), read)
    return singles.batch(rows[0].shape[1], drop_remainder=True)


def _check_place(
    first_step: int, steps: int, batch_size: int, replicas: int, pipeline: int, pipelines: int
) -> None:
    checks.positive_integer("replicas", replicas, "the devices that share a step, such as 1")
    checks.positive_integer("pipelines", pipelines, "the pipelines that feed them, such as 1")
    if batch_size % replicas:
        raise ValueError(
            f"batch_size: received {batch_size}; expected a multiple of the {replicas} replicas "
            f"that share it. Pass {replicas * max(1, batch_size // replicas)} for instance."
        )
    if replicas % pipelines:
        raise ValueError(
            f"pipelines: received {pipelines}; expected a divisor of the {replicas} replicas."
        )
    for what, value, end in (
        ("first_step", first_step, steps + 1),
        ("pipeline", pipeline, pipelines),
    ):
        if not 0 <= value < end:
            raise ValueError(f"{what}: received {value}; expected 0 to {end - 1}.")


def explain(error: BaseException, data: Data) -> str | None:
    """Name the image that stopped a run, if it was one; else return ``None``.

    TensorFlow's errors do not say which image could not be decoded, so all that are not in memory
    are tried again.

    Args:
        error: what ``fit`` raised.
        data: what it was trained on.

    Returns:
        A line, such as ``"flowers/rose/17.jpg: no such file"``.
    """
    if not isinstance(error, tf.errors.OpError):
        return None
    parts = {id(images): images for images in (data.train, data.validation, data.test)}
    return next(filter(None, map(unreadable, parts.values())), None)
