"""A folder of class folders; every file is looked at before anything starts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_convnets import files
from keras_convnets.images import decoding, reading
from keras_convnets.images.contents import KINDS
from keras_convnets.images.labelled import Encoded, Images, from_arrays, on_cpu
from keras_convnets.images.listing import NOWHERE, Found, Listing, Seen, listing, walk
from keras_convnets.images.reading import Kept
from keras_convnets.training.data.known_files import KnownFiles
from keras_convnets.training.data.source import Source

SIZE = 224
_CHANNELS = 3
_TRAIN = "train"
_TESTS = ("test", "val", "validation")
_NAMED, _LONGEST = 3, 300  # files in an error, and characters of each


def load(name: str, strict: bool) -> Source:
    """Return the images in ``PATH/CLASS/FILE``, or in ``PATH/train/CLASS/FILE`` and so on.

    Args:
        name: the path of the folder.
        strict: refuse files that are not images and folders that are not looked into, instead of
            leaving them out.

    Raises:
        ValueError: the folder does not exist or cannot be listed, it has fewer than two classes or
            a class without images, or, if ``strict``, something would be left out.
    """
    root = _root(name)
    places = _parts(root)
    class_names = _class_names(places)
    seen, known = Seen(), KnownFiles(root)
    parts = [_look(root, where, class_names, seen, known) for where in places]
    known.keep()
    skipped = tuple(line for part in parts for line in part.skipped)
    if strict and skipped:
        raise ValueError(
            f"data: received {str(root)!r}, of which {_some(skipped)}; expected images only. "
            "Move them away, or leave out --strict (strict) to skip them."
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


def _root(name: str) -> Path:
    known = name and "\0" not in name and os.path.realpath(files.absolute("data", name))
    if not known or not os.path.isdir(known):
        raise ValueError(
            f"data: received {files.shown(f'folder:{name}')}; expected a folder that exists. "
            "Name one that holds a folder of images for each class."
        )
    return Path(known)


@dataclasses.dataclass
class _Part:
    """The files found in the class folders: the images, and the files that were skipped."""

    names: list[str] = dataclasses.field(default_factory=list)
    labels: list[int] = dataclasses.field(default_factory=list)
    kept: Kept = dataclasses.field(default_factory=Kept)
    sizes: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    skipped: list[str] = dataclasses.field(default_factory=list)


def _look(
    root: Path, where: Path, class_names: tuple[str, ...], seen: Seen, known: KnownFiles
) -> _Part:
    """Look at all files under the class folders of one part of the data."""
    part, listed = _Part(), []
    nowhere = (_name(root, where / name) for name in _listing(where).nowhere)
    part.skipped += (f"{name}: {NOWHERE}" for name in nowhere if not _is_named_image(name))
    seen.start_part()
    for label, class_name in enumerate(class_names):
        for path, reason in _found(where / class_name):
            name = _name(root, path)
            if reason is None and not _is_named_image(path):
                reason = f"its name is not that of a {KINDS}"
            reason = reason or seen.reason(path, name, label)
            if reason is None:
                listed.append((name, label))
            else:
                part.skipped.append(f"{name}: {reason}")
    _take(root, part, listed, known)
    part.skipped.sort()
    return part


def _take(root: Path, part: _Part, listed: list[tuple[str, int]], known: KnownFiles) -> None:
    """Add the images among the listed files: decoded if all fit in memory, otherwise their sizes.

    Those whose headers leave a doubt are decoded.
    """
    paths = [os.fspath(root.parent / name) for name, _ in listed]
    sizes = known.sizes(paths)
    needed = sum(_CHANNELS * rows * cols for rows, cols in filter(None, sizes))
    fits = needed <= reading.MEMORY
    if not fits:
        part.kept.items = None
    table = on_cpu(np.array([os.fsencode(path) for path in paths], object))
    doubtful = [number for number, size in enumerate(sizes) if size is None or fits]
    decoded = reading.attempts(lambda number: decoding.read(table[number]), doubtful)
    for (name, label), size in zip(listed, sizes, strict=True):
        if size is None or fits:
            found = next(decoded)
            if isinstance(found, tf.errors.OpError):
                part.skipped.append(f"{name}: {decoding.reason(found)}")
                continue
            part.kept.add(found, found.nbytes)
            size = found.shape[:2]
        part.names.append(name)
        part.labels.append(label)
        part.sizes.add(size)


def _found(folder: Path) -> Iterable[Found]:
    """Return what is under a class folder, which a test folder may lack."""
    return walk(os.fspath(folder)) if os.path.lexists(folder) else ()


def _is_named_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in decoding.SUFFIXES


def _name(root: Path, path: str | os.PathLike[str]) -> str:
    """Return the name of a path in data and in messages: from the root's own name."""
    before = os.path.join(root.parent, "")
    return os.fspath(path).removeprefix(before).replace(os.sep, "/")


def _paths(root: Path, names: list[str]) -> tf.Tensor:
    return on_cpu(np.array([os.fsencode(root.parent / name) for name in names], object))


def _images(root: Path, part: _Part) -> Images:
    """Return a part's images, in memory if they fit, otherwise read from their files."""
    labels = np.array(part.labels, np.int32)
    if part.kept.items is not None:
        return from_arrays(part.kept.items, labels, part.names.__getitem__)
    table = _paths(root, part.names)
    return Images(
        labels=labels,
        read=lambda number: decoding.read(table[number]),
        array=None,
        describe=part.names.__getitem__,
        encoded=Encoded(lambda many: decoding.read_encoded(tf.gather(table, many))),
    )


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
            f"{left_out}; expected at least one {KINDS} file in each class folder."
        )


def _some(skipped: Sequence[str]) -> str:
    """Return the number of files and the names of the first few."""
    one = len(skipped) == 1
    count = "1 file is not an image" if one else f"{len(skipped)} files are not images"
    more = "; ..." if len(skipped) > _NAMED else ""
    return f"{count} ({'; '.join(map(_short, skipped[:_NAMED]))}{more})"


def _short(line: str) -> str:
    """Return a line with the middle of a very long name left out."""
    half = _LONGEST // 2
    return line if len(line) <= _LONGEST else f"{line[:half]}…{line[-half:]}"


def _only(parts: Sequence[_Part]) -> tuple[int, int] | None:
    """Return the rows and columns of the images if all have the same size."""
    sizes = set().union(*(part.sizes for part in parts))
    return sizes.pop() if len(sizes) == 1 else None


def _folders(folder: Path) -> list[str]:
    """Return the sorted names of the subfolders, links to folders included."""
    found = _listing(folder)
    return sorted(found.folders + found.linked)


def _listing(folder: Path) -> Listing:
    try:
        return listing(folder)
    except OSError as error:
        raise ValueError(
            f"data: received {files.shown(folder)}, which cannot be listed: {error.strerror}. "
            "Change its permissions, or name another folder."
        ) from error
