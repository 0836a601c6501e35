"""What class folders hold: nothing is passed over in silence but what is hidden."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

NOT_FOLLOWED = "a link to a folder, which is not followed"
NOWHERE = "a broken link"


class Listing(NamedTuple):
    """The names in a folder, sorted, without hidden ones.

    Attributes:
        folders: the names of folders.
        linked: the names of links to folders.
        files: all other names.
        nowhere: those of them that are links to nothing, or to themselves.
    """

    folders: list[str]
    linked: list[str]
    files: list[str]
    nowhere: list[str]


class Found(NamedTuple):
    """A path under a class folder; with a reason, if it cannot be looked at."""

    path: str
    reason: str | None = None


def listing(folder: str | os.PathLike[str]) -> Listing:
    """Return what a folder holds.

    Raises:
        OSError: the folder cannot be listed.
    """
    found = Listing([], [], [], [])
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if not entry.is_symlink():
                kind = found.folders if entry.is_dir(follow_symlinks=False) else found.files
            else:
                kind = found.linked if os.path.isdir(entry.path) else found.files
                if not os.path.exists(entry.path):
                    found.nowhere.append(entry.name)
            kind.append(entry.name)
    return found


def walk(folder: str) -> Iterator[Found]:
    """Yield the files under a folder, and the folders that are not looked into, each with why.

    A folder's own files come first, then its folders, in the order of their names.
    """
    ahead = [folder]
    while ahead:
        where = ahead.pop()
        try:
            found = listing(where)
        except OSError as error:
            yield Found(where, f"a folder that cannot be listed: {error.strerror}")
            continue
        yield from (Found(os.path.join(where, name)) for name in found.files)
        yield from (Found(os.path.join(where, name), NOT_FOLLOWED) for name in found.linked)
        ahead += (os.path.join(where, name) for name in reversed(found.folders))


class Seen:
    """Which files are images of which class, to find those that are in two places.

    Hard links, and links to files or to whole class folders, give one image two labels, or test a
    model on images that it was trained on. The parts of the data are looked at one after the other,
    the training images first.
    """

    def __init__(self) -> None:
        self._files: dict[tuple[int, int], tuple[str, int, int]] = {}
        self._bytes: dict[str, int] = {}
        self._part = -1

    def bytes_of(self, name: str) -> int:
        """Return the size of a file that has been looked at; -1 if it could not be."""
        return self._bytes.get(name, -1)

    def start_part(self) -> None:
        """Start the next part of the data."""
        self._part += 1

    def reason(self, path: str, name: str, label: int) -> str | None:
        """Return why a file is not to be used again; ``None`` if there is no reason."""
        try:
            status = os.stat(path)
        except OSError:  # the reason is told when it is read
            return None
        self._bytes[name] = status.st_size
        one = name, label, self._part
        first, its_label, its_part = self._files.setdefault((status.st_dev, status.st_ino), one)
        if its_label != label:
            return f"the same file as {first}, of another class"
        if its_part == 0 and self._part > 0:
            return f"the same file as {first}, which is trained on"
        return None
