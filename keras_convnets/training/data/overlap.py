"""Test images that are also training images: accuracy on them says nothing about new images."""

from __future__ import annotations

import numpy as np

from keras_convnets.images.labelled import Images
from keras_convnets.training.data.data import Data

SAMPLE = 256  # images that are looked for
_PIXELS = 64  # by so many of their values first
ALIKE = 16  # of images that are alike in these, so many are compared
MUCH = 0.5
"""The share of test images among the training images that is worth a word."""


def overlap(data: Data) -> str | None:
    """Return a line if most test or validation images in memory are training images as well.

    A sample of them is looked for. A few images twice are common in published data.

    Examples:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), "uint8")
        >>> labels = np.arange(20) % 2
        >>> overlap(Data.from_arrays(images, labels))
        >>> overlap(Data.from_arrays(images, labels, images, labels))
        'all test images are also training images: accuracy on them says nothing about new images'
    """
    for name, images in (("test", data.test), ("validation", data.validation)):
        share = _share(images, data.train)
        if share > MUCH:
            return in_words(name, share)
    return None


def in_words(name: str, share: float) -> str:
    """Return the line about a share of the test or validation images."""
    many = "all" if share == 1 else "most"
    return (
        f"{many} {name} images are also training images: accuracy on them says nothing about new "
        "images"
    )


def _share(images: Images, training: Images) -> float:
    """Return the share of some images that are training images, of a sample."""
    sample, everything = images.array, training.array
    if sample is None or everything is None or sample.shape[1:] != everything.shape[1:]:
        return 0.0
    sample = sample[:: max(1, len(sample) // SAMPLE)]
    known: dict[bytes, list[int]] = {}
    for number, part in enumerate(_parts(everything)):
        known.setdefault(part.tobytes(), []).append(number)
    found = [
        any(
            np.array_equal(image, everything[number])
            for number in known.get(part.tobytes(), [])[:ALIKE]
        )
        for image, part in zip(sample, _parts(sample), strict=True)
    ]
    return float(np.mean(found))


def _parts(array: np.ndarray) -> np.ndarray:
    """Return some values of each image."""
    flat = array.reshape(len(array), -1)
    return np.ascontiguousarray(flat[:, :: max(1, flat.shape[1] // _PIXELS)])
