"""Images for training, validation and testing, and how they are processed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data import arrays, datasets
from keras_convnets.training.data.arguments import ImageSize
from keras_convnets.training.data.source import Source
from keras_convnets.training.data.treatment import Treatment
from keras_convnets.training.words import image_counts, shape
from keras_convnets.typed import explaining


@dataclasses.dataclass(frozen=True)
class Data:
    """Images for training, validation and testing, and how they are processed.

    Attributes:
        name: the name of the data set.
        train: the training images.
        validation: the images evaluated after each epoch: the test images, unless part of the
            training images was held out for validation.
        test: the test images, which are never trained on.
        class_names: the class names, by label.
        preprocessing: the preprocessing applied to every image.
        augmentation: the augmentation of the training images: a name in ``AUGMENTATIONS``, names in
            ``STRENGTHS``, or both, such as ``"crop-flip+mixup:0.2"``.
        skipped: files that were left out, each with the reason.
        words: what was decided about the data, in lines to be shown before a run.
        contents: the SHA-256 of the table that lists the images, or of some values of each array;
            ``None`` for others.
        sampling: ``"balanced"`` to train on all classes equally often; ``None`` to train on each
            image once.
        arguments: the arguments of `load_data`, so that another process can load the same data;
            without the preprocessing, which the run stores. Empty if the data did not come from
            `load_data`.
    """

    name: str
    train: Images
    validation: Images
    test: Images
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    augmentation: str
    skipped: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    words: tuple[str, ...] = ()
    contents: str | None = None
    sampling: str | None = None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(channels, rows, cols)`` of the network's input."""
        return self.preprocessing.image_shape

    @property
    def has_several(self) -> bool:
        """Whether an image may have several classes, each with a 0 or a 1 in its labels."""
        return self.train.labels.ndim == 2

    @classmethod
    @explaining
    def from_arrays(
        cls,
        train_images: Any,
        train_labels: Any,
        test_images: Any = None,
        test_labels: Any = None,
        *,
        class_names: Sequence[str] | None = None,
        name: str = "arrays",
        seed: int = 0,
        validation_split: float = 0.0,
        image_size: ImageSize | None = None,
        channels: int | None = None,
        augmentation: str | None = None,
        preprocessing: Preprocessing | str | None = None,
    ) -> Data:
        """Return your own images from arrays, split and ready for training.

        They are split and normalised as in `load_data`. Another process cannot load them again,
        so a run on them must be resumed in Python, with the same arrays.

        Args:
            train_images: (images, rows, cols, channels) with 1 (grey), 3 (colour) or 4 channels
                (the fourth is dropped) or as many as ``channels`` says, or (images, rows, cols):
                integers from 0 to 255, or floats. Floats from 0 to 255 are divided by 255; all
                others are left unscaled.
            train_labels: the class of each image, as integers from 0, (images,), or one-hot,
                (images, classes). For multi-label images, 0 or 1 for each class.
            test_images: the same for testing; by default a fifth of the images is held out,
                stratified by class unless the images are multi-label.
            test_labels: the labels of ``test_images``.
            class_names: the class names, by label; by default ``"0"``, ``"1"`` and so on.
            name: the name of the data set.
            seed: the seed of the splits.
            validation_split: the share of the training images to hold out for validation; with 0,
                the test images are used.
            image_size: rows and columns to resize to, one number or two; by default the size of
                the images.
            channels: 1 to convert the images to grey, 3 to colour; by default as they are. Any
                other number says how many channels the arrays have, for instance of a satellite.
            augmentation: a name in ``AUGMENTATIONS``, names in ``STRENGTHS``, or both, such as
                ``"crop-flip+mixup:0.2"``; by default ``"none"``.
            preprocessing: the preprocessing of an earlier run, to process the images identically,
                or the name of a usual one: ``"none"``, ``"0-1"``, ``"-1-1"``, ``"imagenet"``,
                ``"caffe"``; by default means and standard deviations are computed from the
                training images.

        Raises:
            ValueError: the arrays do not contain images and matching labels, or an argument is
                out of range.

        Examples:
            >>> import numpy as np
            >>> from pathlib import Path
            >>> from rich.console import Console
            >>> from keras_convnets import ResnetBuilder
            >>> from keras_convnets.training import RECIPES, Data, train
            >>> random = np.random.default_rng(0)
            >>> images = random.integers(0, 256, (100, 8, 8, 3), "uint8")
            >>> labels = random.integers(0, 2, 100)
            >>> data = Data.from_arrays(images, labels, class_names=("cat", "dog"))
            >>> len(data.train), len(data.test), data.image_shape
            (80, 20, (3, 8, 8))
            >>> model = ResnetBuilder.build(data.image_shape, 2, "basic_block", (1,))
            >>> recipe = RECIPES["quick"].replace(epochs=1)
            >>> train(model, data, Path("run"), recipe, console=Console(quiet=True)).epochs
            1
        """
        pairs = (train_images, train_labels), (test_images, test_labels)
        treatment = Treatment(
            seed, validation_split, image_size, channels, augmentation, preprocessing
        )
        return _of_arrays(*pairs, class_names, name, treatment)

    @classmethod
    @explaining
    def from_dataset(
        cls,
        train: Any,
        test: Any = None,
        *,
        class_names: Sequence[str] | None = None,
        name: str = "dataset",
        seed: int = 0,
        validation_split: float = 0.0,
        image_size: ImageSize | None = None,
        channels: int | None = None,
        augmentation: str | None = None,
        preprocessing: Preprocessing | str | None = None,
    ) -> Data:
        """Return the images of a ``tf.data.Dataset``, split and ready for training.

        They are read into memory once, for a run that is resumed needs each image by its position.
        A run is resumed in Python, with a data set that yields the same images in the same order:
        do not shuffle it, for every epoch is shuffled anyway.

        Args:
            train: a finite data set of (image, label), batched or not, with images of one size and
                labels as in `from_arrays`: an integer, one-hot, or 0 and 1 for each class.
            test: the same for testing; by default a fifth of the images is held out.
            class_names: as in `from_arrays`, as all others.
            name: the name of the data set.
            seed: the seed of the splits.
            validation_split: the share of the training images to hold out for validation.
            image_size: rows and columns to resize to.
            channels: 1 to convert the images to grey, 3 to colour.
            augmentation: the augmentation of the training images.
            preprocessing: the preprocessing of an earlier run, or the name of a usual one.

        Raises:
            ValueError: a data set is infinite, empty, ragged or larger than the memory, its images
                differ in size, or as in `from_arrays`.

        Examples:
            >>> import numpy as np
            >>> import tensorflow as tf
            >>> from keras_convnets.training import Data
            >>> images = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 3), "uint8")
            >>> dataset = tf.data.Dataset.from_tensor_slices((images, np.arange(100) % 2))
            >>> data = Data.from_dataset(dataset.batch(32), class_names=("cat", "dog"))
            >>> len(data.train), len(data.test), data.image_shape
            (80, 20, (3, 8, 8))
        """
        treatment = Treatment(
            seed, validation_split, image_size, channels, augmentation, preprocessing
        )
        for_training = datasets.arrays_of("train", train)
        for_tests = (None, None) if test is None else datasets.arrays_of("test", test)
        return _of_arrays(for_training, for_tests, class_names, name, treatment)


def _of_arrays(
    train: tuple[Any, Any],
    test: tuple[Any, Any],
    class_names: Sequence[str] | None,
    name: str,
    treatment: Treatment,
) -> Data:
    given = treatment.preprocessing
    own = given.channels if isinstance(given, Preprocessing) else treatment.channels
    return treated(arrays.load(train, test, class_names, name, own), treatment, {})


def treated(source: Source, treatment: Treatment, arguments: Mapping[str, Any]) -> Data:
    """Return the data of a source, split and with its preprocessing.

    Args:
        source: the images.
        treatment: how they are split and prepared.
        arguments: those of `load_data`, if the data come from there; otherwise empty.

    Raises:
        ValueError: the treatment does not suit the images.
    """
    train, validation, test = treatment.split(source)
    preprocessing, words = treatment.prepared(source, train)
    return Data(
        name=source.name,
        train=train,
        validation=validation,
        test=test,
        class_names=source.class_names,
        preprocessing=preprocessing,
        augmentation=treatment.augmentation or source.augmentation,
        skipped=source.skipped,
        arguments=arguments,
        words=source.words + words,
        contents=source.contents,
    )


def images_in_words(data: Data) -> str:
    """Return how many images of which shape are for what; test images that validate count once."""
    validation = None if data.validation is data.test else len(data.validation)
    counts = image_counts(len(data.train), validation, len(data.test))
    return f"{counts} of {shape(data.image_shape)}"
