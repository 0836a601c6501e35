"""A folder of class folders; every file is looked at before anything starts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from keras_convnets import files
from keras_convnets.images.kinds import KINDS
from keras_convnets.images.listing import NOWHERE, Found, Listing, Seen, listing, walk
from keras_convnets.training.data import splits
from keras_convnets.training.data.copies import copied
from keras_convnets.training.data.image_files import (
    Part,
    check_strict,
    images_of,
    is_named_image,
    some,
)
from keras_convnets.training.data.known_files import KnownFiles
from keras_convnets.training.data.source import Source
from keras_convnets.training.words import class_list

SIZE = 224
_LOOSE = "an image beside the class folders, and of no class"
_ALIKE = 2  # folders of the same names in most class folders, which are no classes then


def load(name: str, strict: bool, as_before: bool = False) -> Source:
    """Return the images in ``PATH/CLASS/FILE``, or in ``PATH/train/CLASS/FILE`` and so on.

    Args:
        name: the path of the folder.
        strict: refuse files that are not images and folders that are not looked into, instead of
            leaving them out.
        as_before: tell parts from classes, and images from other files, as the first versions did,
            for a run that one has begun.

    Raises:
        ValueError: the folder does not exist or cannot be listed, it has fewer than two classes or
            a class without images, it does not tell which of its folders are classes, or, if
            ``strict``, something would be left out.
    """
    root = _root(name)
    found = _parts(root, as_before)
    places = (
        [root] if found is None else [_unwrapped(root / name) for name in found.folders.values()]
    )
    class_names = _class_names(places)
    words = [] if as_before else _check_depth(places[0], class_names)
    seen, known = Seen(), KnownFiles(root)
    parts = [_look(root, where, class_names, seen, known, as_before) for where in places]
    for where, part in zip(places, parts, strict=True):
        part.skipped = sorted([*part.skipped, *_beside(root, where, as_before)])
    known.keep()
    beside = () if found is None else found.left_out.items()
    skipped = [f"{root.name}/{name}: {reason}" for name, reason in beside]
    skipped += (line for part in parts for line in part.skipped)
    if strict:
        check_strict(repr(str(root)), skipped)
    for where, part in zip(places, parts, strict=True):
        _check_classes(where, part, class_names)
    given = [splits.TRAIN] if found is None else list(found.folders)
    of = dict(zip(given, parts, strict=True))
    images = images_of(of)
    words += images.pop("words") + _missing(of, class_names)
    if images[splits.TRAIN].array is None:
        words += copied(of, seen.bytes_of)
    return Source(
        name=root.name,
        class_names=class_names,
        augmentation="resized-crop",
        size=(SIZE, SIZE),
        resize="crop",
        skipped=tuple(skipped),
        words=tuple(words),
        **images,
    )


def _root(name: str) -> Path:
    known = name and "\0" not in name and os.path.realpath(files.absolute("data", name))
    if not known or not os.path.isdir(known):
        raise ValueError(
            f"data: received {files.shown(f'folder:{name}')}; expected a folder that exists. "
            "Name one that holds a folder of images for each class."
        )
    return Path(known)


def _parts(root: Path, as_before: bool) -> splits.Parts | None:
    """Return the folders of training and other images; ``None`` if the root holds the classes."""
    names = _folders(root)
    if as_before:
        return splits.parts_before(names, lambda name: _folders(root / name))
    return splits.parts_of(files.shown(root), names, lambda name: _folders(_unwrapped(root / name)))


def _unwrapped(folder: Path) -> Path:
    """Return the folder, or the only one in it if that is called alike, as archives have it."""
    within = _folders(folder)
    same = len(within) == 1 and splits.part_of(within[0])
    return folder / within[0] if same and same == splits.part_of(folder.name) else folder


def _look(
    root: Path,
    where: Path,
    class_names: tuple[str, ...],
    seen: Seen,
    known: KnownFiles,
    as_before: bool,
) -> Part:
    """Look at all files under the class folders of one part of the data."""
    part, listed = Part(root.parent), []
    seen.start_part()
    for label, class_name in enumerate(class_names):
        for path, reason in _found(where / class_name):
            name = _name(root, path)
            if reason is None and not is_named_image(path, as_before):
                reason = f"its name is not that of a {KINDS}"
            reason = reason or seen.reason(path, name, label)
            if reason is None:
                listed.append((name, label))
            else:
                part.skipped.append(f"{name}: {reason}")
    part.take(listed, known)
    return part


def _beside(root: Path, where: Path, as_before: bool) -> Iterator[str]:
    """Yield what lies beside the class folders and was meant to be one, or to be in one."""
    found = _listing(where)
    for name in found.files:
        if is_named_image(name, as_before):
            if not as_before:
                yield f"{_name(root, where / name)}: {_LOOSE}"
        elif name in found.nowhere:
            yield f"{_name(root, where / name)}: {NOWHERE}"


def _found(folder: Path) -> Iterable[Found]:
    """Return what is under a class folder, which a test folder may lack."""
    return walk(os.fspath(folder)) if os.path.lexists(folder) else ()


def _name(root: Path, path: str | os.PathLike[str]) -> str:
    """Return the name of a path in data and in messages: from the root's own name."""
    before = os.path.join(root.parent, "")
    return os.fspath(path).removeprefix(before).replace(os.sep, "/")


def _class_names(places: list[Path]) -> tuple[str, ...]:
    """Return the names of the class folders, which must be the same in each part."""
    names = _folders(places[0])
    if len(names) < 2:
        raise _one_class(places[0], names)
    for place in places[1:]:
        unknown = sorted(set(_folders(place)) - set(names))
        if unknown:
            raise ValueError(
                f"data: {str(place)!r} has the class {unknown[0]!r}, which {str(places[0])!r} "
                "lacks; expected the same class folders in both."
            )
    return tuple(names)


def _one_class(place: Path, names: Sequence[str]) -> ValueError:
    found = f"the class folder {names[0]!r} alone" if names else "no class folders"
    within = _folders(place / names[0]) if names else []
    hint = f" Name {files.shown(place / names[0])} if that holds them." if within else ""
    return ValueError(
        f"data: received {str(place)!r}, which holds {found}; expected at least two "
        f"folders of images, one for each class.{hint}"
    )


def _check_depth(place: Path, class_names: Sequence[str]) -> list[str]:
    """Refuse folders that hold the same folders; return a line if images lie deeper than usual.

    Raises:
        ValueError: most of them hold folders of the same names, which are classes or parts then.
    """
    counts: Counter[str] = Counter()
    for name in class_names:
        try:
            found = listing(place / name)
        except OSError:  # which is told when its images are looked for
            return []
        if not (found.folders or found.linked) or any(map(is_named_image, found.files)):
            return []
        counts.update(found.folders + found.linked)
    alike = sorted(name for name, count in counts.items() if 2 * count > len(class_names))
    if len(alike) >= _ALIKE:
        raise ValueError(
            f"data: received {str(place)!r}, whose folders {class_names[0]!r} and "
            f"{class_names[1]!r} hold folders of the same names, {alike[0]!r} and {alike[1]!r}; "
            "expected a folder for each class with its images, or 'train', 'val' and 'test' with "
            "these in them. Rename the folders, or list the images in a table (csv:FILE)."
        )
    outer, inner = class_names[0], min(counts)
    line = f"all images lie in folders below the class folders, such as {inner!r}"
    return [f"{line}: their classes are the outer folders, such as {outer!r}"]


def _check_classes(where: Path, part: Part, class_names: tuple[str, ...]) -> None:
    found = set(part.labels)
    missing = [
        name
        for label, name in enumerate(class_names)
        if label not in found and (where / name).is_dir()
    ]
    if missing:
        left_out = f" ({some(part.skipped)})" if part.skipped else ""
        raise ValueError(
            f"data: received {str(where)!r}, in which the class {missing[0]!r} has no images"
            f"{left_out}; expected at least one {KINDS} file in each class folder."
        )


def _missing(parts: Mapping[str, Part], class_names: Sequence[str]) -> list[str]:
    """Return a line for each part of the data without images of some class."""
    words = []
    for name, part in parts.items():
        missing = [class_names[n] for n in sorted(set(range(len(class_names))) - set(part.labels))]
        if missing:
            words.append(f"no {name} images of {class_list(missing)}")
    return words


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
