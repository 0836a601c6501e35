"""Which training images an epoch shows: each once, or of each class as many."""

from __future__ import annotations

import numpy as np

from keras_convnets.training.data.data import Data

_STREAM = 1  # of random numbers, beside those of the shuffle and the augmentation


def balanced(labels: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Return the image at each position of an epoch in which all classes are equally frequent.

    There are as many positions as images. Classes differ by at most one position, and the images
    of a class by at most one use.

    Args:
        labels: the class of each image.
        seed: the seed of the run.
        epoch: the epoch, from 0.

    Examples:
        >>> labels = np.array([0, 0, 0, 0, 0, 1])
        >>> order = balanced(labels, 0, 0)
        >>> np.bincount(labels[order]).tolist(), sorted(order.tolist())[-3:]
        ([3, 3], [5, 5, 5])
    """
    random = np.random.default_rng((seed, epoch, _STREAM))
    classes = np.unique(labels)
    share, more = divmod(len(labels), len(classes))
    with_more = set(random.permutation(classes)[:more].tolist())
    chosen = [
        _drawn(np.flatnonzero(labels == label), share + (label in with_more), random)
        for label in classes.tolist()
    ]
    return random.permutation(np.concatenate(chosen))


def _drawn(images: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Return so many of some images: all of them as often as possible, and some once more."""
    times, rest = divmod(count, len(images))
    return np.concatenate([np.repeat(images, times), random.permutation(images)[:rest]])


def check_sampling(data: Data) -> None:
    """Refuse to balance classes that cannot be, or that are already.

    Raises:
        ValueError: images may have several classes, or all classes have the same number of them.
    """
    if data.sampling is None:
        return
    if data.has_several:
        raise ValueError(
            f"sampling: received {data.sampling!r} for images that may have several classes; "
            "expected one class an image. Leave it out."
        )
    counts = np.bincount(data.train.labels, minlength=len(data.class_names))
    if counts.min() == counts.max():
        raise ValueError(
            f"sampling: received {data.sampling!r}, which has no effect on {data.name}, for all "
            f"classes have {counts[0]:,} images; expected classes that differ. Leave it out."
        )
