"""What a local file of weights is, if it is a published one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from keras_convnets import files
from keras_convnets.weights.published import hub
from keras_convnets.weights.published.published import TIMM, Published, rows

# timm's networks that blur where they stride: with the names and shapes of a ResNet, so that
# nothing in their weights tells them from it.
_BLURRING = re.compile(r"(?:models--timm--)?(resnetaa50|resnetblur18|resnetblur50)(?![0-9])")


def of_file(path: str | os.PathLike[str]) -> Published | None:
    """Return what a local file is, as its name says, or the files beside it.

    Args:
        path: a file of weights with the name that it was published under, or one of timm's hub:
            a folder with ``config.json`` and ``model.safetensors``, or the latter.

    Returns:
        The row; of the hub's files, with the images that ``config.json`` says. ``None`` for any
        other file.

    Raises:
        ValueError: ``config.json`` cannot be used, or the file is of a network that its contents do
            not tell from one of ours.
    """
    path = Path(path)
    parents = path.absolute().parents[:3] if path.name == hub.MODEL else ()
    _check_blurring(path, path.name, *(folder.name for folder in parents))
    for row in rows():
        if path.name == row.file:
            return row
    folder = path if os.path.isdir(path) else path.parent
    if path != folder and path.suffix not in (".safetensors", ".bin"):
        return None
    found = hub.described(folder / hub.CONFIG)
    if found is None:
        return _named_as(folder) if path.name == hub.MODEL else None
    _check_blurring(path, found.name)
    return _of_hub(found, path.name)


def _check_blurring(path: Path, *names: str) -> None:
    for name in names:
        if found := _BLURRING.match(name):
            raise ValueError(
                f"weights: received {files.shown(path)}, weights of timm's {found[1]}, which blurs "
                "where it strides; expected those of a network of this package: a ResNet has the "
                "same names and shapes, and computes something else. Take the weights of a ResNet."
            )


def _named_as(folder: Path) -> Published | None:
    """Return the row of a folder of the hub that has its name, with or without its cache's."""
    names = {one.name.removeprefix("models--timm--") for one in (folder, *folder.parents[:2])}
    return next((row for row in rows() if row.name.removeprefix(f"{TIMM}/") in names), None)


def _of_hub(found: hub.Described, file: str) -> Published | None:
    alike = [row for row in rows() if row.name.startswith(f"{TIMM}/{found.name}.")]
    if not alike:
        return None
    name = f"{TIMM}/{found.name}" + (f".{found.tag}" if found.tag else "")
    row = next((row for row in alike if row.name == name), None)
    if row is None:  # weights of someone's own, or newer than the table
        row = alike[0]._replace(name=name, file=file, address="", hash="", top1=None)
        row = row._replace(top1_source="", licence=found.licence)
    size = row.rows if row.rows in found.crops else next(iter(found.crops))
    return row._replace(
        rows=size,
        shorter_side=int(size / found.crops[size]),
        interpolation=found.interpolation,
        mean=found.mean,
        std=found.std,
        scale=255.0,
        classes=found.classes,
    )
