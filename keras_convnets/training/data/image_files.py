"""Files that are named as images: looked at, then kept in memory or read when needed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.images import decoding, reading
from keras_convnets.images.kinds import SUFFIXES
from keras_convnets.images.labelled import Encoded, Images, from_arrays, on_cpu
from keras_convnets.images.reading import Kept
from keras_convnets.training.data.known_files import KnownFiles
from keras_convnets.training.data.splits import TEST, VALIDATION

_CHANNELS = 3
_FIRST = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
_NAMED, _LONGEST = 3, 300  # files in an error, and characters of each


@dataclasses.dataclass
class Part:
    """The images of a part of the data, and the files that were skipped.

    Attributes:
        place: the folder that their names start from.
        names: the names of the images.
        labels: their labels.
        kept: their pixels, if they fit in memory.
        sizes: the rows and columns that occur.
        skipped: the files that were left out, each with the reason.
        turns: whether any image may be a JPEG that is to be turned upright.
    """

    place: Path
    names: list[str] = dataclasses.field(default_factory=list)
    labels: list[Any] = dataclasses.field(default_factory=list)
    kept: Kept = dataclasses.field(default_factory=Kept)
    sizes: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    skipped: list[str] = dataclasses.field(default_factory=list)
    turns: bool = False

    def take(self, listed: Sequence[tuple[str, Any]], known: KnownFiles) -> None:
        """Add the images among listed files, pairs of a name and a label.

        They are decoded if all fit in memory, otherwise only their sizes are read; those whose
        headers leave a doubt are decoded.
        """
        paths = [os.path.join(self.place, name) for name, _ in listed]
        sizes = known.sizes(paths)
        needed = sum(_CHANNELS * rows * cols for rows, cols in filter(None, sizes))
        fits = needed <= reading.MEMORY
        if not fits:
            self.kept.items = None
        table = on_cpu(np.array([os.fsencode(path) for path in paths], object))
        doubtful = [number for number, size in enumerate(sizes) if size is None or fits]
        decoded = reading.attempts(lambda number: decoding.read(table[number]), doubtful)
        for (name, label), path, size in zip(listed, paths, sizes, strict=True):
            if size is None or fits:
                found = next(decoded)
                if isinstance(found, tf.errors.OpError):
                    self.skipped.append(f"{name}: {decoding.reason(found)}")
                    continue
                self.kept.add(found, found.nbytes)
                size = found.shape[:2]
            self.names.append(name)
            self.labels.append(label)
            self.sizes.add(size)
            self.turns |= path in known.turned

    def images(self) -> Images:
        """Return the images, in memory if they fit, otherwise read from their files."""
        labels = np.array(self.labels, np.int32)
        if self.kept.items is not None:
            return from_arrays(self.kept.items, labels, self.names.__getitem__)
        paths = [os.fsencode(os.path.join(self.place, name)) for name in self.names]
        table = on_cpu(np.array(paths, object))
        read: Callable[[Any], tf.Tensor] = lambda number: decoding.read(table[number])  # noqa: E731
        turns = self.turns
        encoded = Encoded(
            lambda many: decoding.read_encoded(tf.gather(table, many), turns), _CHANNELS, turns
        )
        return Images(labels, read, None, self.names.__getitem__, encoded)


def is_named_image(name: str, as_before: bool = False) -> bool:
    """Return whether a file's name ends as that of an image.

    Args:
        name: the name.
        as_before: whether it counted as such before there were kinds other than the first ones.
    """
    return os.path.splitext(name)[1].lower() in (_FIRST if as_before else SUFFIXES)


def images_of(parts: Mapping[str, Part]) -> dict[str, Any]:
    """Return the images of each part of the data, as the fields of a `Source`.

    Where only validation images are apart from the training images, they are tested on.
    """
    found = {name: part.images() for name, part in parts.items()}
    words = []
    if TEST not in found and VALIDATION in found:
        words.append("tested on the validation images: there are no others set apart for testing")
        found[TEST] = found.pop(VALIDATION)
    return found | {"native": _only_size(list(parts.values())), "words": words}


def _only_size(parts: Sequence[Part]) -> tuple[int, int] | None:
    """Return the rows and columns of the images if all have the same size."""
    sizes = set().union(*(part.sizes for part in parts))
    return sizes.pop() if len(sizes) == 1 else None


def check_strict(where: str, skipped: Sequence[str]) -> None:
    """Refuse data of which something was left out."""
    if skipped:
        raise ValueError(
            f"data: received {where}, of which {some(skipped)}; expected images only. "
            "Move them away, or leave out --strict (strict) to skip them."
        )


def some(skipped: Sequence[str]) -> str:
    """Return the number of files and the names of the first few."""
    one = len(skipped) == 1
    count = "1 file is not an image" if one else f"{len(skipped)} files are not images"
    more = "; ..." if len(skipped) > _NAMED else ""
    return f"{count} ({'; '.join(map(_short, skipped[:_NAMED]))}{more})"


def _short(line: str) -> str:
    """Return a line with the middle of a very long name left out."""
    half = _LONGEST // 2
    return line if len(line) <= _LONGEST else f"{line[:half]}…{line[-half:]}"
