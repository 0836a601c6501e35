"""Batches of images as ``tf.data``; their contents depend only on the arguments.

The order of an epoch and the random numbers for its augmentation are drawn before it begins, one
row per position. So a run can resume from any step, on any number of replicas, and every image is
augmented exactly as it would have been.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.images import decoding
from keras_convnets.images.batches import ahead, gathered, in_format, mapped, one_by_one
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.reading import unreadable
from keras_convnets.training.data.augmentation import Augmentation
from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.changes.applied import Changes
from keras_convnets.training.data.changes.draws import drawn
from keras_convnets.training.data.changes.mixing import check_pairs, mixed
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.sampling import balanced
from keras_convnets.typed import explaining

AutoShardPolicy = tf.data.experimental.AutoShardPolicy
Rows = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]
_MARGIN = 2  # a crop of a large photograph is decoded at no less than twice the network's input


@explaining
def steps_per_epoch(data: Data, batch_size: int) -> int:
    """Return the number of full batches in the training images; a remainder is left out.

    Every epoch is shuffled anew, so different images are left out each time.

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


@explaining
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
    """Return one epoch of shuffled and augmented training batches, as (images, labels).

    Every pass over them is the same epoch, in the same order, with the same augmentation: for
    several epochs of one ``model.fit``, pass it `training_epochs`.

    Args:
        data: the data to train on.
        batch_size: the global batch size: images per step over all replicas.
        seed: the seed of the shuffle and the augmentation.
        epoch: the epoch, from 0; each is shuffled differently.
        first_step: the step to start from.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        replicas: the devices that share each step; each gets ``batch_size // replicas`` images.
        pipeline: the index of this pipeline, from 0.
        pipelines: how many pipelines feed the replicas. Each yields the batches of its own
            ``replicas // pipelines`` replicas, in turn, step by step.

    Returns:
        A ``tf.data.Dataset`` of float32 images and int32 labels. With mixup or CutMix, a label is
        float32 with the share of each class, (batch, classes), which suits
        `keras.losses.CategoricalCrossentropy`, or with sigmoids `keras.losses.BinaryCrossentropy`.

    Raises:
        ValueError: the batch size does not fit the data or replicas, or a number is out of range.

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
    check_pairs(data.augmentation, batch_size, replicas)
    augmentation = augmentation_named(data.augmentation)
    places = np.arange(steps * batch_size).reshape(steps, pipelines, replicas // pipelines, -1)
    own = places[first_step:, pipeline].reshape(-1, batch_size // replicas)
    return batches_of(
        data, augmentation, rows_of(data, augmentation, own, seed, epoch), data_format
    )


def rows_of(
    data: Data, augmentation: Augmentation, places: np.ndarray, seed: int, epoch: int
) -> Rows:
    """Return the images at some places of an epoch, their random numbers, and the rest of each.

    Args:
        data: the data to train on.
        augmentation: their augmentation.
        places: positions of the epoch, (batches, images of a batch).
        seed: the seed of the shuffle and the augmentation.
        epoch: the epoch.
    """
    order, numbers = _drawn(len(data.train), augmentation.numbers, seed, epoch)
    if data.sampling is not None:
        order = balanced(data.train.labels, seed, epoch)
    changes = drawn(augmentation, len(data.train), data.image_shape, seed, epoch)
    rest = {name: values[places] for name, values in changes.items()}
    rest["labels"] = data.train.labels[order[places]]
    return order[places], numbers[places], rest


def batches_of(
    data: Data, augmentation: Augmentation, rows: Rows | tf.data.Dataset, data_format: str
) -> tf.data.Dataset:
    """Return the batches of images and labels of rows, arrays or a data set of them."""
    batches = _read(data.train, data.preprocessing, augmentation, rows)
    change = Changes(augmentation, data.train, data.preprocessing)

    def finish(images: tf.Tensor, numbers: tf.Tensor, rest: dict[str, Any]) -> tuple[Any, Any]:
        images = change(augmentation.shifted(images, numbers), rest)
        labels = rest["labels"]
        if augmentation.mixes:
            images, labels = mixed(images, _shares(labels, len(data.class_names)), rest)
        return in_format(images, data_format), labels

    # Each process selects its own images, so tf.distribute must not shard them again.
    return ahead(mapped(batches, finish), AutoShardPolicy.OFF)


def _drawn(images: int, numbers: int, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the image at each position of an epoch, and the random numbers of that position."""
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(images)
    return order, random.random((images, numbers), np.float32)


def _shares(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Return labels as the share of each class, float32."""
    return tf.one_hot(labels, classes) if labels.shape.rank == 1 else tf.cast(labels, tf.float32)


def _read(
    images: Images,
    preprocessing: Preprocessing,
    augmentation: Augmentation,
    rows: Any,
) -> tf.data.Dataset:
    """Return batches of preprocessed images, their random numbers and the rest of their rows.

    They are gathered a batch at a time where possible, otherwise read one by one.
    """
    is_set = isinstance(rows, tf.data.Dataset)
    if gathered(images, preprocessing) and not augmentation.random_resized_crop:
        batches = rows if is_set else tf.data.Dataset.from_tensor_slices(rows)
        return mapped(
            batches,
            lambda many, numbers, rest: (preprocessing(images.read(many)), numbers, rest),
        )
    if is_set:
        one_row_each, size = rows.unbatch(), rows.element_spec[0].shape[0]
    else:
        flat = tf.nest.map_structure(lambda array: array.reshape(-1, *array.shape[2:]), rows)
        one_row_each, size = tf.data.Dataset.from_tensor_slices(flat), rows[0].shape[1]
    singles = one_by_one(images, one_row_each, *_single(preprocessing, augmentation))
    return singles.batch(size, drop_remainder=True)


def _single(
    preprocessing: Preprocessing, augmentation: Augmentation
) -> tuple[Callable[..., tf.Tensor], Callable[..., tf.Tensor]]:
    """Return the functions that preprocess the file, and the pixels, of one image."""
    if not augmentation.random_resized_crop:
        return (
            lambda encoded, channels, turns, *_: preprocessing.of_encoded(encoded, channels, turns),
            lambda pixels, *_: preprocessing(pixels),
        )
    stretched = preprocessing.stretching()
    least = (_MARGIN * preprocessing.rows, _MARGIN * preprocessing.cols)

    def of_pixels(pixels: tf.Tensor, numbers: tf.Tensor, _: Any) -> tf.Tensor:
        return stretched(augmentation.mirrored(augmentation.cut_out(pixels, numbers), numbers))

    def of_encoded(
        encoded: tf.Tensor, channels: int, turns: bool, numbers: tf.Tensor, _: Any
    ) -> tf.Tensor:
        def window(sizes: tf.Tensor) -> tf.Tensor:
            return augmentation.window(sizes, numbers)

        pixels, _ = decoding.part(encoded, window, channels, least, turns)
        return stretched(augmentation.mirrored(pixels, numbers))

    return of_encoded, of_pixels


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
    """Return which image stopped a run; ``None`` if the cause was something else.

    TensorFlow's errors do not say which image could not be decoded, so all images that are not in
    memory are tried again.

    Args:
        error: the error that ``fit`` raised.
        data: the training data.

    Returns:
        A line such as ``"flowers/rose/17.jpg: no such file"``.
    """
    if not isinstance(error, tf.errors.OpError):
        return None
    parts = {id(images): images for images in (data.train, data.validation, data.test)}
    return next(filter(None, map(unreadable, parts.values())), None)
