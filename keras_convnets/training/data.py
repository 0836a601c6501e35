"""Images to train on, as ``tf.data`` pipelines."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from keras_convnets import checks
from keras_convnets.training.settings import Settings

DIGITS_SIZE = 32
_DIGITS_MAXIMUM = 16.0
_TEST_SHARE = 0.2
_SHIFT = 3


@dataclasses.dataclass(frozen=True)
class Data:
    """Batches of images and labels to train on and to test on, and what they hold.

    Attributes:
        name: what the data set is called.
        train: batches of (images, labels), shuffled and augmented anew in each epoch.
        test: batches of (images, labels) that are never trained on.
        image_shape: ``(channels, rows, cols)`` of the images.
        class_names: the classes, by label.
        train_images: how many images there are to train on.
        test_images: how many images there are to test on.
        preprocessing: what was done to the images, in words.
    """

    name: str
    train: Any
    test: Any
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    train_images: int
    test_images: int
    preprocessing: str


def digits(settings: Settings, data_format: str = "channels_last", size: int = DIGITS_SIZE) -> Data:
    """Return scikit-learn's 1,797 handwritten digits: real 8x8 scans, embedded in its package.

    A fifth of the images, every class in proportion, is kept for testing. Pixels are scaled to 0
    to 1, the images resized on the fly, and training images shifted by up to three pixels.

    Args:
        settings: for the batch size and the seed.
        data_format: the order of the images' axes.
        size: the rows and columns to resize to.

    Raises:
        ValueError: the batch is larger than the training data.
    """
    images, labels = load_digits(return_X_y=True)
    images = (images / _DIGITS_MAXIMUM).reshape(-1, 8, 8, 1).astype("float32")
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=_TEST_SHARE, stratify=labels, random_state=settings.seed
    )
    check_batch_size(settings.batch_size, len(train_images))
    train = tf.data.Dataset.from_tensor_slices((train_images, train_labels))
    train = train.shuffle(len(train_images), seed=settings.seed)
    train = train.map(lambda image, label: (_shifted(_resized(image, size)), label))
    test = tf.data.Dataset.from_tensor_slices((test_images, test_labels))
    test = test.map(lambda image, label: (_resized(image, size), label))
    return Data(
        name="digits",
        train=_batches(train, settings.batch_size, data_format),
        test=_batches(test, settings.batch_size, data_format),
        image_shape=(1, size, size),
        class_names=tuple("0123456789"),
        train_images=len(train_images),
        test_images=len(test_images),
        preprocessing=f"pixels divided by {_DIGITS_MAXIMUM:g}, resized to {size} x {size} "
        "(bilinear)",
    )


def check_batch_size(batch_size: int, train_images: int) -> None:
    """Refuse a batch that is larger than the training data."""
    if batch_size > train_images:
        raise ValueError(
            f"batch_size: received {batch_size}; expected at most the {train_images} training "
            "images. Pass a smaller batch."
        )


def _resized(image: tf.Tensor, size: int) -> tf.Tensor:
    return tf.image.resize(image, (size, size))


def _shifted(image: tf.Tensor) -> tf.Tensor:
    padded = tf.pad(image, [[_SHIFT, _SHIFT], [_SHIFT, _SHIFT], [0, 0]])
    return tf.image.random_crop(padded, tf.shape(image))


def _batches(dataset: tf.data.Dataset, batch_size: int, data_format: str) -> tf.data.Dataset:
    checks.choice("data_format", data_format, ("channels_first", "channels_last"))
    dataset = dataset.batch(batch_size)
    if data_format == "channels_first":
        dataset = dataset.map(lambda images, labels: (tf.transpose(images, (0, 3, 1, 2)), labels))
    return dataset.prefetch(tf.data.AUTOTUNE)
