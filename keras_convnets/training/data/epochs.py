"""Training batches of one epoch after another, for a single ``model.fit``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.changes.mixing import check_pairs
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import Rows, batches_of, rows_of, steps_per_epoch
from keras_convnets.typed import explaining

_ENDLESS = tf.data.experimental.INFINITE_CARDINALITY


@explaining
def training_epochs(
    data: Data,
    batch_size: int,
    *,
    seed: int,
    first_epoch: int = 0,
    first_step: int = 0,
    data_format: str = "channels_last",
) -> tf.data.Dataset:
    """Return the batches of one epoch after another, each shuffled and augmented anew.

    They never end, so ``model.fit`` needs ``steps_per_epoch``. Epoch by epoch they are those of
    `training_batches`, so that they depend on the arguments only.

    Args:
        data: the data to train on.
        batch_size: the images of a step.
        seed: the seed of the shuffle and the augmentation.
        first_epoch: the epoch to start from, such as that of ``fit(initial_epoch=...)``.
        first_step: the step of that epoch to start from.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        A ``tf.data.Dataset`` of images and labels, as from `training_batches`.

    Raises:
        ValueError: the batch size does not fit the data, or a number is out of range.

    Examples:
        >>> from keras_convnets.training import load_data, steps_per_epoch, training_epochs
        >>> data = load_data("digits")
        >>> batches = training_epochs(data, 128, seed=0)
        >>> steps = steps_per_epoch(data, 128)
        >>> # model.fit(batches, epochs=5, steps_per_epoch=steps, shuffle=False)
        >>> batches.element_spec[0].shape
        TensorShape([128, 32, 32, 1])
    """
    steps = steps_per_epoch(data, batch_size)
    checks.choice("data_format", data_format, axes.FORMATS)
    check_pairs(data.augmentation, batch_size, 1)
    for what, value, end in (("first_epoch", first_epoch, None), ("first_step", first_step, steps)):
        if value < 0 or (end is not None and value >= end):
            raise ValueError(
                f"{what}: received {value}; expected 0 or more"
                f"{'' if end is None else f', below the {end} steps of an epoch'}."
            )
    augmentation = augmentation_named(data.augmentation)
    places = np.arange(steps * batch_size).reshape(steps, batch_size)

    def rows() -> Iterator[Rows]:
        for epoch in itertools.count(first_epoch):
            start = first_step if epoch == first_epoch else 0
            order, numbers, rest = rows_of(data, augmentation, places, seed, epoch)
            for step in range(start, steps):
                one = {name: values[step] for name, values in rest.items()}
                yield order[step], numbers[step], one

    spec = tf.nest.map_structure(tf.TensorSpec.from_tensor, _tensors(next(rows())))
    found = tf.data.Dataset.from_generator(rows, output_signature=spec)
    found = found.apply(tf.data.experimental.assert_cardinality(_ENDLESS))
    return batches_of(data, augmentation, found, data_format)


def _tensors(rows: Rows) -> Rows:
    return tf.nest.map_structure(tf.convert_to_tensor, rows)
