"""Images to train and to test on, by the name of where they come from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from keras_convnets import checks
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data import digits, folder, keras_datasets, tfds
from keras_convnets.training.data.augmentation import AUGMENTATIONS
from keras_convnets.training.data.normalisation import normalised
from keras_convnets.training.data.source import Source

TEST_SHARE = 0.2


@dataclasses.dataclass(frozen=True)
class Data:
    """Images to train, to validate and to test on, and how they are treated.

    Attributes:
        name: what the data set is called.
        train: the images to train on.
        validation: the images to look at after each epoch: those of the test, unless a part of
            the training images was set apart.
        test: the images that are never trained on.
        class_names: the classes, by label.
        preprocessing: what is done to every image.
        augmentation: what is done to training images besides; a name in ``AUGMENTATIONS``.
        skipped: files that were left out, with the reason.
        arguments: what `load` was called with, for another process to load the same; but for the
            preprocessing, which a run keeps.
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

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(channels, rows, cols)`` of what the network takes in."""
        return self.preprocessing.image_shape


def load_data(
    name: str,
    *,
    seed: int = 0,
    validation_split: float = 0.0,
    image_size: int | None = None,
    data_dir: Path | str | None = None,
    strict: bool = False,
    augmentation: str | None = None,
    preprocessing: Preprocessing | None = None,
) -> Data:
    """Return the images of a data set, split and ready for ``training_batches``.

    Args:
        name: ``"digits"``, ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"``, ``"cifar100"``,
            ``"folder:PATH"`` for a folder of class folders, or ``"tfds:NAME"``.
        seed: of the splits.
        validation_split: the share of the training images, of each class alike, to set apart for
            validation; with 0 the test images are used.
        image_size: rows and columns to resize to; by default those of the images, 32 for digits
            and 224 for folders.
        data_dir: the folder of files that are on this machine already.
        strict: refuse a folder with files that are no images, instead of leaving them out.
        augmentation: a name in ``AUGMENTATIONS``; by default the usual one for this data.
        preprocessing: of an earlier run, to treat the images alike; by default means and standard
            deviations are those of the training images.

    Raises:
        ValueError: there are no such data, they cannot be read, or an argument is out of range.

    Examples:
        >>> from keras_convnets.training import load_data
        >>> data = load_data("digits", validation_split=0.1)
        >>> len(data.train), len(data.validation), len(data.test), data.image_shape
        (1293, 144, 360, (1, 32, 32))
    """
    checks.non_negative_integer("seed", seed, "any such number, 0 for instance")
    _check_share(validation_split)
    if image_size is not None:
        checks.positive_integer("image_size", image_size, "rows and columns, such as 224")
    if augmentation is not None:
        checks.choice("augmentation", augmentation, AUGMENTATIONS)
    if preprocessing is not None and image_size not in (None, preprocessing.rows):
        raise ValueError(
            f"image_size: received {image_size}, but the preprocessing given makes images of "
            f"{preprocessing.rows} rows; expected one of the two. Leave image_size out."
        )
    source = _source(name, data_dir, strict)
    train, test = source.train, source.test
    if test is None:
        train, test = _split(train, TEST_SHARE, seed, source.class_names)
    validation = source.validation or test
    if validation_split:
        train, validation = _split(train, validation_split, seed, source.class_names)
    return Data(
        name=source.name,
        train=train,
        validation=validation,
        test=test,
        class_names=source.class_names,
        preprocessing=preprocessing or _preprocessing(source, train, image_size, seed),
        augmentation=augmentation or source.augmentation,
        skipped=source.skipped,
        arguments={
            "name": _anywhere(name),
            "seed": seed,
            "validation_split": validation_split,
            "image_size": image_size,
            "data_dir": None if data_dir is None else str(Path(data_dir).expanduser().absolute()),
            "strict": strict,
            "augmentation": augmentation,
        },
    )


def _anywhere(name: str) -> str:
    """Return a name that means the same in another working folder."""
    kind, _, path = name.partition(":")
    return f"{kind}:{Path(path).expanduser().absolute()}" if kind == "folder" else name


def _source(name: str, data_dir: Path | str | None, strict: bool) -> Source:
    """Return what a name stands for."""
    where = None if data_dir is None else Path(data_dir).expanduser()
    kind, _, rest = name.partition(":")
    if kind == "folder":
        return folder.load(rest, strict)
    if kind == "tfds":
        return tfds.load(rest, where)
    if name == "digits":
        return digits.load()
    if name in keras_datasets.KNOWN:
        return keras_datasets.load(name, where)
    return _of_tfds(name, where)


def _of_tfds(name: str, data_dir: Path | None) -> Source:
    """Return what TensorFlow Datasets knows by a name that is none of ours."""
    names = ("digits", *keras_datasets.KNOWN)
    if not tfds.knows(name, data_dir):
        expected = ", ".join(map(repr, names))
        hint = f" Did you mean 'folder:{name}'?" if Path(name).is_dir() else ""
        raise ValueError(
            f"data: received {name!r}; expected {expected}, 'folder:PATH' or 'tfds:NAME' (after "
            f"{tfds.INSTALL}).{hint or checks.did_you_mean(name, names)}"
        )
    return tfds.load(name, data_dir)


def _check_share(value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(
            f"validation_split: received {value!r}; expected a number of at least 0 and less than "
            "1. Pass the share of the training images to set apart, such as 0.1."
        )


def _split(
    images: Images, share: float, seed: int, class_names: Sequence[str]
) -> tuple[Images, Images]:
    """Return the images without a share of each class, and that share."""
    count = np.bincount(images.labels, minlength=len(class_names))
    if count.min() < 2:
        raise ValueError(
            f"data: received one image of the class {class_names[int(count.argmin())]!r}, or none; "
            "expected at least two of each, so that one can be kept from training."
        )
    apart = min(max(math.ceil(share * count.sum()), len(count)), count.sum() - len(count))
    kept, split = train_test_split(
        np.arange(len(images)), test_size=int(apart), stratify=images.labels, random_state=seed
    )
    left = np.bincount(images.labels[kept], minlength=len(class_names))
    if not left.min():
        raise ValueError(
            f"validation_split: received {share}, which leaves no images of the class "
            f"{class_names[int(left.argmin())]!r} to train on; expected a smaller share."
        )
    return images.subset(kept), images.subset(split)


def _preprocessing(
    source: Source, train: Images, image_size: int | None, seed: int
) -> Preprocessing:
    rows, cols = (image_size, image_size) if image_size else source.size
    resize = "none" if (rows, cols) == source.native else source.resize
    plain = Preprocessing(source.channels, rows, cols, source.scale, resize=resize)
    return normalised(plain, train, seed) if source.normalised else plain
