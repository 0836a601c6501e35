"""Cards in their place: beside the exports of a model, and in the folder of a run."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.shipping.card.facts import Card, Export, Speed
from keras_convnets.shipping.card.place import CARD, read_card
from keras_convnets.shipping.card.rendering import render
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import SAVED_MODEL, kind_of
from keras_convnets.shipping.engines.metadata import read_about


def write_card(folder: Path, card: Card, name: str = CARD) -> Path:
    """Write a card into a folder, in the place of one that is there.

    Raises:
        NotWritten: it cannot be written.
    """
    text = render(card)
    with files.replacing(folder / name) as path:
        path.write_text(text, encoding="utf-8")
    return folder / name


def known_in(folder: Path, card: Card) -> Card:
    """Return a card with what the one in a folder knows of the same model, if there is one."""
    before = read_card(folder / CARD)
    if before is None or before.fingerprint != card.fingerprint:
        return card
    return _merged(dataclasses.replace(before, exports=()), card)


def write_beside(path: str | os.PathLike[str], card: Card, runtime: str) -> Path | None:
    """Write the card of a model beside an export, or into its folder, or add the export to it.

    A ``MODEL.md`` that somebody else has written, or that is another model's, is left as it is;
    then the card's name begins with that of the export.

    Args:
        path: the export.
        card: what is known of the model.
        runtime: what opened the export, with its version.

    Returns:
        The path of the card; ``None`` if the files of both names are others'.
    """
    path, about = Path(path), read_about(path)
    if about is None or about.fingerprint != card.fingerprint:
        raise ValueError(
            f"path: {files.shown(path)} is no export of {card.network}; expected one that says so. "
            "Export the model again."
        )
    folder = _folder(path)
    name = _free_name(folder, path, card.fingerprint)
    if name is None:
        return None
    before = read_card(folder / name)
    if before is not None and before.fingerprint == card.fingerprint:
        card = _merged(before, card)
    return write_card(folder, _with_export(card, folder, path, about, runtime), name)


def add_speeds(path: str | os.PathLike[str], speeds: Sequence[Speed]) -> Path | None:
    """Write how fast an export was into the card beside it.

    Returns:
        The path of the card; ``None`` if there is none, which is then not written.
    """
    path, about = Path(path), read_about(path)
    folder = _folder(path)
    for name in _names(path):
        card = read_card(folder / name)
        if about is None or card is None or card.fingerprint != about.fingerprint:
            continue
        exports = [
            dataclasses.replace(one, speeds=tuple(speeds)) if one.file == _file(path) else one
            for one in card.exports
        ]
        if exports != list(card.exports):
            return write_card(folder, dataclasses.replace(card, exports=tuple(exports)), name)
    return None


def _folder(path: Path) -> Path:
    return path if kind_of(path) is SAVED_MODEL else path.parent


def _file(path: Path) -> str:
    return "." if kind_of(path) is SAVED_MODEL else path.name


def _names(path: Path) -> tuple[str, str]:
    return CARD, f"{path.stem}.{CARD}"


def _free_name(folder: Path, path: Path, fingerprint: str) -> str | None:
    """Return the name of the model's card: one that is there, or the first that is free."""
    for name in _names(path):
        if not os.path.lexists(folder / name):
            return name
        card = read_card(folder / name)
        if card is not None and (card.fingerprint == fingerprint or _is_over(card, folder)):
            return name
    return None


def _is_over(card: Card, folder: Path) -> bool:
    """Return whether nothing of what a card describes is there any more."""
    return not card.training and not _still_there(card, folder)


def _still_there(card: Card, folder: Path) -> tuple[Export, ...]:
    """Return the exports of a card that are still the model's."""
    return tuple(one for one in card.exports if _is_of(folder / one.file, card.fingerprint))


def _is_of(path: Path, fingerprint: str) -> bool:
    try:
        about = read_about(path)
    except (ValueError, OSError):
        return False
    return about is not None and about.fingerprint == fingerprint


def _merged(before: Card, card: Card) -> Card:
    """Return a card with what only the one before it knows: the training, and other exports."""
    kept: dict[str, Any] = {
        name: getattr(before, name) for name in ("training", "metrics", "exports")
    }
    known = {name: value for name, value in kept.items() if not getattr(card, name)}
    unknown = ("class_names", "preprocessing", "source", "weights", "licence", "multiply_adds")
    known |= {name: getattr(before, name) for name in unknown if not getattr(card, name)}
    return dataclasses.replace(card, **known)


def _with_export(card: Card, folder: Path, path: Path, about: About, runtime: str) -> Card:
    new = Export(
        *(_file(path), kind_of(path).name, runtime, bytes_of(path), about.precision),
        *(about.has_preprocessing, about.input_dtype, about.channels_last, about.folded),
        *(about.package, about.proof),
    )
    others = [one for one in _still_there(card, folder) if one.file != new.file]
    exports = sorted([*others, new], key=lambda one: one.file)
    names: dict[str, Any] = {"class_names": about.class_names, "preprocessing": about.preprocessing}
    told = {name: value for name, value in names.items() if not getattr(card, name)}
    return dataclasses.replace(card, exports=tuple(exports), **told)


def bytes_of(path: Path) -> int:
    """Return the bytes of an export with the files that belong to it, without its card."""
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file() and file.name != CARD]
    else:
        found = [path, *([path.with_suffix(".bin")] if path.suffix == ".xml" else [])]
    return sum(file.stat().st_size for file in found)
