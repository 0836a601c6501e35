"""The folders of runs in folders."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_convnets.files import shown
from keras_convnets.training import run_folder

DEPTH = 4  # folders within a folder that are searched


def find(folders: Iterable[Path]) -> list[Path]:
    """Return the folders of runs: those that are named, and all within those that are none.

    Args:
        folders: folders of runs, or folders that hold some, at any of `DEPTH` levels. Hidden
            folders and links within them are not followed. A run that is found twice counts once.

    Raises:
        ValueError: a folder does not exist, or is no run and holds none.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        inside = list(_runs(folder, DEPTH)) if os.path.isdir(folder) else []
        if not inside:
            raise _no_runs(folder)
        for run in inside:
            found.setdefault(os.path.realpath(run), run)
    return list(found.values())


def _runs(folder: Path, depth: int) -> Iterator[Path]:
    if run_folder.is_run(folder):
        yield folder
    elif depth:
        for name in _folders(folder):
            yield from _runs(folder / name, depth - 1)


def _folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, numbers in their order: seed-2, seed-10."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name[:1] != "." and e.is_dir(follow_symlinks=False)]
        return sorted(names, key=_natural)
    return []


def _natural(name: str) -> list[tuple[bool, int, str]]:
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    return [(not number, 0, stem), (False, int(number or 0), name)] if stem else [(True, 0, name)]


def _no_runs(folder: Path) -> ValueError:
    if not os.path.lexists(folder):
        what = "which does not exist"
    elif not os.path.isdir(folder):
        what = "which is not a folder"
    else:
        what = "which is not the folder of a run and holds none"
    return ValueError(
        f"runs: received {shown(folder)}, {what}; expected the folder of a run, or a folder of "
        "runs. Name one that keras-convnets train has made."
    )
