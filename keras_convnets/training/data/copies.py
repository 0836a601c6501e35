"""Test files with the contents of training files: copies, or a part of the data twice."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Mapping

from keras_convnets.training.data.image_files import Part
from keras_convnets.training.data.overlap import ALIKE, MUCH, SAMPLE, in_words
from keras_convnets.training.data.splits import TEST, TRAIN, VALIDATION


def copied(parts: Mapping[str, Part], bytes_of: Callable[[str], int]) -> list[str]:
    """Return a line if most test or validation files are copies of training files.

    A sample of them is looked for.

    Args:
        parts: the parts of the data, by name.
        bytes_of: a function from the name of a file to its size.
    """
    sizes: dict[int, list[str]] = {}
    for name in parts[TRAIN].names:
        sizes.setdefault(bytes_of(name), []).append(name)
    for what in (TEST, VALIDATION):
        names = parts[what].names if what in parts else []
        sample = names[:: max(1, len(names) // SAMPLE)]
        place = parts[TRAIN].place
        found = [
            any(_same(place, name, other) for other in sizes.get(bytes_of(name), [])[:ALIKE])
            for name in sample
        ]
        if found and (share := sum(found) / len(found)) > MUCH:
            return [in_words(what, share)]
    return []


def _same(place: str | os.PathLike[str], name: str, other: str) -> bool:
    try:
        return filecmp.cmp(os.path.join(place, name), os.path.join(place, other), shallow=False)
    except OSError:  # which the run will tell
        return False
