"""The arguments of `load_data`: their range, and which have an effect on which data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_convnets import checks, files
from keras_convnets.received import shown
from keras_convnets.training.data.augmentation_names import full_name

ImageSize = int | tuple[int, int]
"""Rows and columns: one number if both are equal."""

_FOLDER, _TABLE, _DIGITS = "folder", "csv", "digits"


def name_of(value: Any) -> str:
    """Return the name of a data set, which may be unknown."""
    return checks.text("data", value, "a name, such as 'digits' or 'folder:PATH'")


def share_of(value: Any) -> float:
    """Return the share of the training images to hold out for validation."""
    meaning = "the share of the training images to set apart, such as 0.1"
    return checks.rate("validation_split", value, meaning)


def size_of(value: Any) -> ImageSize | None:
    """Return the rows and columns to resize to, one number if equal; ``None`` for the default."""
    if value is None:
        return None
    meaning = "rows and columns, such as 224 or (192, 256)"
    if isinstance(value, str) or not isinstance(value, Sequence):
        return checks.positive_integer("image_size", value, meaning)
    if len(value) != 2:
        raise ValueError(
            f"image_size: received {shown(value)}; expected one number, or two, rows and columns. "
            "Pass 224 or (192, 256), for instance."
        )
    rows, cols = checks.positive_integers("image_size", value, meaning)
    return rows if rows == cols else (rows, cols)


def rows_and_cols(size: ImageSize) -> tuple[int, int]:
    """Return rows and columns from what `size_of` returns."""
    return (size, size) if isinstance(size, int) else size


def channels_of(value: Any) -> int | None:
    """Return the channels of the images; ``None`` for the default."""
    if value is None:
        return None
    return checks.positive_integer("channels", value, "1 for grey or 3 for colour")


def augmentation_of(value: Any) -> str | None:
    """Return the name of an augmentation; ``None`` for the default."""
    return None if value is None else full_name(value)


def folder_of(value: Any) -> Path | None:
    """Return the folder of the files; ``None`` for the default."""
    return None if value is None else checks.path("data_dir", value)


def anywhere(name: str) -> str:
    """Return the name with a path that is valid from any working directory."""
    kind, _, path = name.partition(":")
    return f"{kind}:{files.absolute('data', path)}" if kind in (_FOLDER, _TABLE) else name


def refuse_moot(name: str, data_dir: Any, strict: bool) -> None:
    """Refuse arguments that have no effect on a data set."""
    if data_dir is not None and not _has_files(name):
        is_folder = _kind(name) == _FOLDER
        raise ValueError(
            f"data_dir: received {str(data_dir)!r} with {name!r}; expected none, for "
            f"{'its name says where the images are' if is_folder else 'it has no files'}. Leave "
            "it out."
        )
    if strict and not _may_have_others(name):
        raise ValueError(
            f"strict: received True with {name!r}; expected it only with 'folder:PATH' or "
            "'csv:FILE', which may have files that are not images. Leave it out."
        )


def effective(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a begun run, less those without effect that it was begun with."""
    name, moot = name_of(arguments.get("name")), set()
    if not _has_files(name):
        moot.add("data_dir")
    if not _may_have_others(name):
        moot.add("strict")
    return {key: value for key, value in arguments.items() if key not in moot}


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _may_have_others(name: str) -> bool:
    """Whether files of a data set may be no images."""
    return _kind(name) in (_FOLDER, _TABLE)


def _has_files(name: str) -> bool:
    """Whether a data set has files that may be anywhere."""
    return _kind(name) != _FOLDER and name != _DIGITS
