"""The file ``config.json`` of a run, read as `RunConfig` whichever version wrote it."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.readers.damage import whole
from keras_convnets.training import run_folder, stored
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.run_config import (
    FORMAT,
    DataArguments,
    DataFacts,
    ModelFacts,
    OutcomeFacts,
    PreprocessingFacts,
    RequestFacts,
    RunConfig,
    WeightsFacts,
)

_MOST_BYTES = 2**26
_DIGEST = "digest"
_PARTS = {
    "model": ModelFacts,
    "data": DataFacts,
    "preprocessing": PreprocessingFacts,
    "recipe": Recipe,
    "settings": Settings,
    "request": RequestFacts,
    "weights": WeightsFacts,
    "outcome": OutcomeFacts,
}
# The fields with a default that files of format 3 have: one that lacks them is damaged.
_IN_FORMAT_3 = {
    *("request", "weights", "outcome", "id", "start", "format"),
    *("epochs", "steps", "schedule", "drops", "drop_factor", "warmup_epochs", "warmup_steps"),
    *("warmup_rate", "momentum", "nesterov", "weight_decay", "label_smoothing", "augmentation"),
    *("images_per_rate", "stage_decay", "seed", "checkpoint_steps", "steps_per_execution", "jit"),
    *("sync_bn", "memory_efficient", "deterministic"),
}
_MAY_BE_EDITED = ("name", "data_dir")  # of the data's arguments: where the files have moved to


class NewerFormatError(ValueError):
    """A later version of the package wrote a file."""


def read(folder: Path) -> RunConfig:
    """Return the configuration of a run.

    Raises:
        ValueError: the folder is not that of a run, or its configuration cannot be used; the error
            says what is wrong with which file.
    """
    return understood(folder, contents(folder))


def contents(folder: Path) -> dict[str, Any]:
    """Return the contents of the file, of any format.

    Raises:
        ValueError: as in `read`.
    """
    file = folder / run_folder.CONFIG
    try:
        return stored.parse(whole(file, _MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"run: there is no {files.shown(file)}; expected the folder of a run, such as "
            "runs/resnet_18-digits-…. Name one that keras-convnets train has made."
        ) from None
    except (OSError, ValueError) as error:
        raise unusable(file, error) from error


def understood(folder: Path, found: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that `contents` has found.

    Raises:
        ValueError: as in `read`.
    """
    found = dict(found)
    digest = found.pop(_DIGEST, None)
    try:
        config = stored.read(RunConfig, _of_this_format(found))
        if config.format and digest != _digest(found):
            raise ValueError("its values are not those that were written")
        return config
    except ValueError as error:
        raise unusable(folder / run_folder.CONFIG, error) from error


def unusable(file: Path, error: Exception) -> ValueError:
    """Return the error for a file of a run that cannot be used, and why."""
    if isinstance(error, NewerFormatError):
        return ValueError(f"run: {files.shown(file)} was made by {error}. Upgrade the package.")
    reason = getattr(error, "strerror", None) or str(error)
    return ValueError(
        f"run: cannot read {files.shown(file)} ({reason.rstrip('.')}); expected what "
        "keras-convnets train wrote. Put back a copy of the file, or start a new run."
    )


def write(folder: Path, config: RunConfig) -> None:
    """Write the configuration of a run, for people and programs.

    Raises:
        ValueError: it is too large to be read again.
    """
    facts = config.to_dict() | {"format": FORMAT}
    text = json.dumps(facts | {_DIGEST: _digest(facts)}, indent=2) + "\n"
    if len(text) > _MOST_BYTES:
        raise ValueError(
            f"data: {len(config.data.skipped):,} files are left out and there are "
            f"{len(config.data.class_names):,} classes, whose names take {len(text):,} bytes; "
            f"expected at most {_MOST_BYTES:,}. Move away the files that are not images."
        )
    with files.replacing(folder / run_folder.CONFIG) as path:
        path.write_text(text, encoding="utf-8")


def _digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that a configuration says but where the data are.

    A value that was edited fits all the others, and the run would go on, or be evaluated, as
    another one.
    """
    facts = copy.deepcopy(dict(facts))
    for name in _MAY_BE_EDITED:
        (facts["data"]["arguments"] or {}).pop(name, None)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def check_format(found: Mapping[str, Any], newest: int) -> int:
    """Return the format of a file of a run; 0 for the versions that gave it no number.

    Raises:
        NewerFormatError: a later version of the package wrote the file.
        ValueError: the number is none of a format.
    """
    number = found.get("format", 0)
    if type(number) is not int or number < 0 or (number == 0 and "format" in found):
        raise ValueError(f"format: received {stored.shown(number)}; expected a number from 1")
    if number > newest:
        raise NewerFormatError(
            f"a newer keras_convnets (format {number}; this one reads up to {newest})"
        )
    return number


def _of_this_format(found: dict[str, Any]) -> dict[str, Any]:
    """Return the contents of a file of any format as those of this one."""
    number = check_format(found, FORMAT)
    if number == 0:
        found = _from_format_0(found)
    if number < 2:
        found = _from_format_1(found)
    if number < 3:
        found = _from_format_2(found)
    return _from_format_3(found) if number < 4 else found


def _from_format_3(found: dict[str, Any]) -> dict[str, Any]:
    """Add the fields that did not exist: the default of each means what it was before."""
    found = _absent(RunConfig) | found
    for name, kind in _PARTS.items():
        if isinstance(part := found.get(name), dict):
            found[name] = _absent(kind) | part
    if isinstance(settings := found.get("settings"), dict):
        found["settings"] = settings | {"keep_best": False}  # which those runs have not begun with
    if isinstance(data := found.get("data"), dict) and isinstance(data.get("arguments"), dict):
        found["data"] = data | {"arguments": _absent(DataArguments) | data["arguments"]}
    return found


def _absent(kind: Any) -> dict[str, Any]:
    """Return the defaults of the fields that a dataclass did not have in format 3."""
    fields = (field for field in dataclasses.fields(kind) if field.name not in _IN_FORMAT_3)
    return stored.written_defaults(fields)


def _from_format_2(found: dict[str, Any]) -> dict[str, Any]:
    """Add the setting that did not exist: dense blocks kept everything."""
    if isinstance(settings := found.get("settings"), dict):
        return found | {"settings": {"memory_efficient": False} | settings}
    return found


def _from_format_1(found: dict[str, Any]) -> dict[str, Any]:
    """Add what was always the same before weights could be loaded from files."""
    found = {"weights": None} | found
    if isinstance(request := found.get("request"), dict):
        found["request"] = {"weights": None} | request
    if isinstance(data := found.get("data"), dict) and isinstance(data.get("arguments"), dict):
        found["data"] = data | {"arguments": {"channels": None} | data["arguments"]}
    if isinstance(images := found.get("preprocessing"), dict):
        found["preprocessing"] = {"shorter_side": None, "interpolation": "bilinear"} | images
    return found


def _from_format_0(found: dict[str, Any]) -> dict[str, Any]:
    absent = {"request": None, "outcome": None, "id": None, "start": None}
    found = absent | found | {"format": 0}
    if isinstance(model := found.get("model"), dict):
        found["model"] = {"statistics": None} | model
    if isinstance(data := found.get("data"), dict):
        found["data"] = data | {"arguments": data.get("arguments") or None}
    return found
