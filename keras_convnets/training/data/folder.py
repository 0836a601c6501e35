"""A folder of class folders; every file is checked before anything starts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import files
from keras_convnets.images import decoding
from keras_convnets.images.labelled import Images, from_arrays, on_cpu
from keras_convnets.images.reading import Kept, attempts
from keras_convnets.training.data.source import Source

SIZE = 224
_TRAIN = "train"
_TESTS = ("test", "val", "validation")
_NAMED = 3


def load(name: str, strict: bool) -> Source:
    """Return the images in ``PATH/CLASS/FILE``, or in ``PATH/train/CLASS/FILE`` and so on.

    Args:
        name: the path of the folder.
        strict: refuse files that are not images, instead of leaving them out.

    Raises:
        ValueError: the folder does not exist, it has fewer than two classes or a class without
            images, or, if ``strict``, it has a file that is not an image.
    """
    root = Path(os.path.realpath(files.absolute("data", name)))
    if not name or not os.path.isdir(root):
        raise ValueError(
            f"data: received {files.shown(f'folder:{name}')}; expected a folder that exists. "
            "Name one that holds a folder of images for each class."
        )
    places = _parts(root)
    class_names = _class_names(places)
    parts = [_look(root, where, class_names) for where in places]
    skipped = tuple(line for part in parts for line in part.skipped)
    if strict and skipped:
        raise ValueError(
            f"data: received {str(root)!r}, of which {_some(skipped)}; expected images only. "
            "Take them away, or leave strict out to go without them."
        )
    for where, part in zip(places, parts, strict=True):
        _check_classes(where, part, class_names)
    train, *tests = (_images(root, part) for part in parts)
    return Source(
        name=root.name,
        train=train,
        class_names=class_names,
        augmentation="resized-crop",
        size=(SIZE, SIZE),
        native=_only(parts),
        test=tests[0] if tests else None,
        validation=tests[1] if len(tests) > 1 else None,
        resize="crop",
        skipped=skipped,
    )


@dataclasses.dataclass
class _Part:
    """The files found in the class folders: the images, and the files that were skipped."""

    names: list[str] = dataclasses.field(default_factory=list)
    labels: list[int] = dataclasses.field(default_factory=list)
    kept: Kept = dataclasses.field(default_factory=Kept)
    sizes: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    skipped: list[str] = dataclasses.field(default_factory=list)


def _look(root: Path, where: Path, class_names: tuple[str, ...]) -> _Part:
    """Check all files under the class folders of one part of the data."""
    part, listed = _Part(), []
    for label, class_name in enumerate(class_names):
        for path in _files(where / class_name):
            name = path.relative_to(root.parent).as_posix()
            if path.suffix.lower() in decoding.SUFFIXES:
                listed.append((name, label))
            else:
                part.skipped.append(f"{name}: by its name no {decoding.KINDS}")
    read = _reader(root, [name for name, _ in listed])
    for (name, label), found in zip(listed, attempts(read, range(len(listed))), strict=True):
        if isinstance(found, tf.errors.OpError):
            part.skipped.append(f"{name}: {decoding.reason(found)}")
        else:
            part.names.append(name)
            part.labels.append(label)
            part.sizes.add(found.shape[:2])
            part.kept.add(found, found.nbytes)
    part.skipped.sort()
    return part


def _reader(root: Path, names: list[str]) -> Callable[[Any], tf.Tensor]:
    table = on_cpu(np.array([os.fsencode(root.parent / name) for name in names], object))
    return lambda number: decoding.read(table[number])


def _images(root: Path, part: _Part) -> Images:
    """Return a part's images, in memory if they fit, otherwise read from their files."""
    labels = np.array(part.labels, np.int32)
    if part.kept.items is not None:
        return from_arrays(part.kept.items, labels, part.names.__getitem__)
    return Images(labels, _reader(root, part.names), None, part.names.__getitem__)


def _parts(root: Path) -> list[Path]:
    """Return the folders that contain class folders: just the root, or "train" and the others.

    A folder named "train" counts as a class if it sits among other classes and no test folder.
    """
    names = _folders(root)
    tests = [root / name for name in _TESTS if name in names and _folders(root / name)]
    if _TRAIN in names and (tests or len(names) == 1) and _folders(root / _TRAIN):
        return [root / _TRAIN, *tests[:2]]
    return [root]


def _class_names(places: list[Path]) -> tuple[str, ...]:
    """Return the names of the class folders, which must be the same in each part."""
    names = _folders(places[0])
    if len(names) < 2:
        found = f"the class folder {names[0]!r} alone" if names else "no class folders"
        raise ValueError(
            f"data: received {str(places[0])!r}, which holds {found}; expected at least two "
            "folders of images, one for each class."
        )
    for place in places[1:]:
        unknown = sorted(set(_folders(place)) - set(names))
        if unknown:
            raise ValueError(
                f"data: {str(place)!r} has the class {unknown[0]!r}, which {str(places[0])!r} "
                "lacks; expected the same class folders in both."
            )
    return tuple(names)


def _check_classes(where: Path, part: _Part, class_names: tuple[str, ...]) -> None:
    found = set(part.labels)
    missing = [
        name
        for label, name in enumerate(class_names)
        if label not in found and (where / name).is_dir()
    ]
    if missing:
        left_out = f" ({_some(part.skipped)})" if part.skipped else ""
        raise ValueError(
            f"data: received {str(where)!r}, in which the class {missing[0]!r} has no images"
            f"{left_out}; expected at least one {decoding.KINDS} file in each class folder."
        )


def _some(skipped: Sequence[str]) -> str:
    """Return the number of files and the names of the first few."""
    count = "1 file is no image" if len(skipped) == 1 else f"{len(skipped)} files are no images"
    more = "; ..." if len(skipped) > _NAMED else ""
    return f"{count} ({'; '.join(skipped[:_NAMED])}{more})"


def _only(parts: Sequence[_Part]) -> tuple[int, int] | None:
    """Return the rows and columns of the images if all have the same size."""
    sizes = set().union(*(part.sizes for part in parts))
    return sizes.pop() if len(sizes) == 1 else None


def _folders(folder: Path) -> list[str]:
    """Return the sorted names of the subfolders, without hidden ones."""
    return sorted(
        path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder, sorted by name, without hidden ones."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where) / name for name in sorted(names) if not name.startswith("."))
