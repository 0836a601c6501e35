"""Which class of a model the class folders of some data are: told, never guessed."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from keras_convnets.images.labelled import Images

_IMAGENET = 1000
_SYNSET = re.compile(r"n\d{8}")


def labels_of(folders: Sequence[str], class_names: Sequence[str]) -> tuple[int, ...]:
    """Return the label that a model has for each class folder.

    The folders have names of classes, or the labels of all classes, or they are the 1,000 synsets
    of ImageNet, whose sorted order is that of all published networks.

    Args:
        folders: the names of the class folders, sorted.
        class_names: the names of the model's classes, by label.

    Raises:
        ValueError: the names do not say which class is which.

    Examples:
        >>> labels_of(("cat", "dog"), ("dog", "cat"))
        (1, 0)
        >>> labels_of(("0", "1", "2"), ("crane", "cock", "crane"))
        (0, 1, 2)
    """
    counts = Counter(class_names)
    if all(counts[name] == 1 for name in folders):
        return tuple(map(list(class_names).index, folders))
    if sorted(folders) == sorted(map(str, range(len(class_names)))):
        return tuple(map(int, folders))
    if all(_SYNSET.fullmatch(name) for name in folders):
        if len(folders) == len(class_names) == _IMAGENET:
            return tuple(range(_IMAGENET))
        raise ValueError(
            f"data: received {len(folders):,} folders named by synsets, such as {folders[0]!r}; "
            f"expected all {_IMAGENET:,} of ImageNet: only their order tells which class is which. "
            "Name the folders by the classes' names or labels."
        )
    wrong = next(name for name in folders if counts[name] != 1)
    what = "is the name of several classes" if counts[wrong] else "is no class of the model"
    raise ValueError(
        f"data: received {len(folders):,} class folders, of which {wrong!r} {what}; expected the "
        f"names of its {len(class_names):,} classes, such as {class_names[0]!r}, all their labels "
        f"from 0, or the {_IMAGENET:,} synsets of ImageNet, such as 'n01440764'. Rename them."
    )


def relabelled(images: Images, labels: Sequence[int], classes: int) -> Images:
    """Return images whose label ``n`` has become ``labels[n]``, of so many classes."""
    table = np.array(labels, np.int32)
    if images.labels.ndim == 1:
        return dataclasses.replace(images, labels=table[images.labels])
    several = np.zeros((len(images), classes), np.int32)  # those that the data lack are absent
    several[:, table] = images.labels
    return dataclasses.replace(images, labels=several)
