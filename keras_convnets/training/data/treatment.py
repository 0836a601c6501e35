"""How images from any source are split and processed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets import checks, memory
from keras_convnets.image_config import NAMES
from keras_convnets.images.labelled import Images
from keras_convnets.images.named import named
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data import arguments
from keras_convnets.training.data.arguments import ImageSize, rows_and_cols
from keras_convnets.training.data.normalisation import normalised
from keras_convnets.training.data.ranges import brought, recorded
from keras_convnets.training.data.source import Source

_TEST_SHARE = 0.2
_VALUE, _STATISTICS = 4, 12  # bytes of a pixel's value, and of the copies for its statistics


@dataclasses.dataclass(frozen=True)
class Treatment:
    """How images are split and processed; `load_data` describes each attribute.

    Attributes:
        are_own: whether the preprocessing is that of these very images; that of others is fitted to
            the range of their pixels.

    Raises:
        ValueError: a value is out of range.
    """

    seed: int
    validation_split: float
    image_size: ImageSize | None
    channels: int | None
    augmentation: str | None
    preprocessing: Preprocessing | str | None
    are_own: bool = False

    def __post_init__(self) -> None:
        checks.fields(
            self,
            seed=checks.seed(self.seed),
            validation_split=arguments.share_of(self.validation_split),
            image_size=arguments.size_of(self.image_size),
            channels=arguments.channels_of(self.channels),
            augmentation=arguments.augmentation_of(self.augmentation),
        )
        if isinstance(self.preprocessing, str):
            checks.choice("preprocessing", self.preprocessing, NAMES)
        elif self.preprocessing is not None:
            remedy = f"Pass the preprocessing of a run, or {', '.join(map(repr, NAMES))}."
            checks.instance("preprocessing", self.preprocessing, Preprocessing, remedy)
            self._check_agrees("image_size", self._size, self.preprocessing.image_shape[1:])
            self._check_agrees("channels", self.channels, self.preprocessing.channels)

    @property
    def _size(self) -> tuple[int, int] | None:
        return None if self.image_size is None else rows_and_cols(self.image_size)

    def _check_agrees(self, name: str, given: Any, made: Any) -> None:
        if given not in (None, made):
            has = " x ".join(map(str, made)) if isinstance(made, tuple) else f"{made} channels"
            raise ValueError(
                f"{name}: received {getattr(self, name)}, but the preprocessing given makes images "
                f"of {has}; expected one of the two. Leave {name} out."
            )

    def split(self, source: Source) -> tuple[Images, Images, Images]:
        """Return the training, validation and test images."""
        train, test = source.train, source.test
        if test is None:
            train, test = _split(train, _TEST_SHARE, self.seed, source.class_names)
        validation = source.validation or test
        if self.validation_split:
            train, validation = _split(train, self.validation_split, self.seed, source.class_names)
        return train, validation, test

    def prepared(self, source: Source, train: Images) -> tuple[Preprocessing, tuple[str, ...]]:
        """Return the preprocessing of all images, with statistics of the training images.

        Returns:
            It, and what has to be said of the pixels, in lines.
        """
        given = self.preprocessing
        if isinstance(given, Preprocessing):
            return (given, ()) if self.are_own else brought(given, source)
        rows, cols = self._size or source.size
        resize = "none" if (rows, cols) == source.native else source.resize
        channels = self.channels or source.channels
        _check_convertible(source.channels, channels)
        plain = Preprocessing(channels, rows, cols, source.scale, resize=resize)
        _check_memory(plain, source.normalised)
        if given is not None:
            usual = named(given, plain.image_shape)
            return brought(dataclasses.replace(usual, resize=resize), source)
        own = normalised(plain, train, self.seed) if source.normalised else plain
        return recorded(own, source), ()


def _check_convertible(has: int, asked: int) -> None:
    """Refuse channels that images cannot be converted to."""
    if asked != has and not {asked, has} <= {1, 3}:
        what = {1: "grey", 3: "colour"}.get(has, f"{has} channels")
        raise ValueError(
            f"channels: received {asked} for images in {what}; expected "
            f"{'1 or 3' if has in (1, 3) else has}. Only grey and colour are converted into each "
            "other: leave --channels (channels) out."
        )


def _check_memory(plain: Preprocessing, normalised: bool) -> None:
    """Refuse images of which not even one fits into memory."""
    of = " x ".join(map(str, plain.image_shape))
    needed = math.prod(plain.image_shape) * (_STATISTICS if normalised else _VALUE)
    memory.check(needed, f"an image of {of}", "Use a smaller --image-size (image_size)")


def _split(
    images: Images, share: float, seed: int, class_names: Sequence[str]
) -> tuple[Images, Images]:
    """Split off a share of the images, stratified by class; return the rest and the share.

    Multi-label images are drawn regardless of their classes.
    """
    from sklearn.model_selection import train_test_split

    several = images.labels.ndim == 2
    count = _counts(images.labels, len(class_names))
    if count.min() < 2:
        raise ValueError(
            f"data: received one image of the class {class_names[int(count.argmin())]!r}, or none; "
            "expected at least two of each, so that one can be kept from training."
        )
    apart = math.ceil(share * len(images))
    apart = min(max(apart, len(count)), len(images) - len(count))
    kept, split = train_test_split(
        np.arange(len(images)),
        test_size=max(1, apart) if several else apart,
        stratify=None if several else images.labels,
        random_state=seed,
    )
    left = _counts(images.labels[kept], len(class_names))
    if not left.min():
        raise ValueError(
            f"validation_split: received {share}, which leaves no images of the class "
            f"{class_names[int(left.argmin())]!r} to train on; expected a smaller share."
        )
    return images.subset(kept), images.subset(split)


def _counts(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the number of images of each class."""
    return labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=classes)
