"""Which folders, or words of a table, mean training, validation and test images."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)

_WORDS = {
    **dict.fromkeys(("train", "training", "trainset", "trainval"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "valset", "dev", "devset"), VALIDATION),
    **dict.fromkeys(("eval", "evaluation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "testset"), TEST),
}
# Words beside them that no class would be called by.
_PLAIN = {"image", "images", "img", "imgs", "data", "dataset", "set", "split", "samples", "photos"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_]")
_ALIKE = 2  # so many class folders of the same names tell parts of one data set

Below = Callable[[str], Sequence[str]]  # the names of the folders in a folder


class Parts(NamedTuple):
    """The folders of the parts of a data set.

    Attributes:
        folders: the name of the folder of each part, the training images first.
        left_out: other folders beside them, each with the reason.
    """

    folders: Mapping[str, str]
    left_out: Mapping[str, str]


def part_of(name: str) -> str | None:
    """Return the part of the data that a name says; ``None`` if it says none, or two.

    Examples:
        >>> [part_of(name) for name in ("Valid", "seg_train", "testImages", "train2017", "trains")]
        ['validation', 'train', 'test', 'train', None]
    """
    found = {_WORDS[word] for word in _words(name) if word in _WORDS}
    return found.pop() if len(found) == 1 else None


def parts_of(where: str, names: Sequence[str], below: Below) -> Parts | None:
    """Return which of the folders in a folder are the parts of a data set.

    Args:
        where: the folder, for errors.
        names: the names of the folders in it.
        below: a function from such a name to the names of the class folders within.

    Returns:
        The parts; ``None`` if the folders are classes.

    Raises:
        ValueError: the names look like parts, but do not tell which is which.

    Examples:
        >>> below = {"Train": ("cat", "dog"), "valid": ("cat", "dog"), "train_station": ()}
        >>> dict(parts_of("pets", ("Train", "valid"), below.get).folders)
        {'train': 'Train', 'validation': 'valid'}
        >>> parts_of("places", ("train_station", "bus_station"), below.get)
    """
    found = {part: [name for name in names if part_of(name) == part] for part in PARTS}
    others = found[VALIDATION] + found[TEST]
    if not found[TRAIN]:
        if len(others) > 1 and len(others) == len(names):
            raise _refusal(where, others, "no folder of training images is beside them")
        return None
    if list(names) == found[TRAIN][:1]:
        return Parts({TRAIN: names[0]}, {}) if below(names[0]) else None
    if not others or not _are_parts(names, found[TRAIN], others, below):
        return None
    return _told_apart(where, names, found, below)


def parts_before(names: Sequence[str], below: Below) -> Parts | None:
    """Return the parts as versions up to format 3 of a run's ``config.json`` told them."""
    tests = [name for name in ("test", "val", "validation") if name in names and below(name)]
    if TRAIN in names and (tests or len(names) == 1) and below(TRAIN):
        return Parts(dict(zip((TRAIN, TEST, VALIDATION), (TRAIN, *tests[:2]), strict=False)), {})
    return None


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_plain(name: str) -> bool:
    return all(word in _WORDS or word in _PLAIN for word in _words(name))


def _are_parts(
    names: Sequence[str], train: Sequence[str], others: Sequence[str], below: Below
) -> bool:
    """Whether folders whose names could say a part are parts, or classes such as "train_station".

    They are parts if no others are beside them, if their names say nothing else, or if they hold
    the same class folders.
    """
    if len(train) + len(others) == len(names):
        return True
    if any(map(_is_plain, train)) and any(map(_is_plain, others)):
        return True
    classes = {folder for name in train for folder in below(name)}
    return any(len(classes.intersection(below(name))) >= _ALIKE for name in others)


def _told_apart(
    where: str, names: Sequence[str], found: Mapping[str, Sequence[str]], below: Below
) -> Parts:
    folders: dict[str, str] = {}
    left_out = dict.fromkeys(
        (name for name in names if part_of(name) is None),
        "a folder beside those of training and test images, which is not looked into",
    )
    for part, candidates in found.items():
        several = [name for name in candidates if below(name)]
        if len(several) > 1:
            raise _refusal(where, several, f"each could be the {part} images")
        if part == TRAIN and not several:
            what = "it looks like the training images but holds no class folders"
            raise _refusal(where, candidates, what)
        folders |= dict.fromkeys([part][: len(several)], "".join(several))
        left_out |= dict.fromkeys(
            (name for name in candidates if name not in several),
            f"a folder of {part} images without class folders",
        )
    return Parts(folders, left_out)


def _refusal(where: str, names: Sequence[str], what: str) -> ValueError:
    shown = " and ".join(map(repr, names[:3])) + (" and more" if len(names) > 3 else "")
    return ValueError(
        f"data: received {where}, which holds {shown}: {what}; expected folders of classes, or "
        "'train', 'val' and 'test' with a folder for each class in them. Rename or move what is "
        "something else."
    )
