"""A preprocessing in words, and its checked configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_convnets.images.preprocessing import Preprocessing

_LISTS = ("mean", "std", "pixels")


def words(preprocessing: Preprocessing) -> str:
    """Return what a preprocessing does, in a line."""
    of = preprocessing
    kind = " (bicubic)" if of.interpolation == "bicubic" else ""
    resized = {
        "none": "",
        "stretch": f", resized{kind}",
        "crop": f", shorter side resized to {of.scaled_side}{kind}, centre-cropped",
    }
    text = " x ".join(map(str, of.image_shape)) + resized[of.resize]
    text += ", blue first" if of.order == "BGR" else ""
    text += f", pixels divided by {of.scale:g}" if of.scale != 1 else ", pixels as they are"
    if any(of.mean):
        text += f", minus {of.mean}"
    if set(of.std) != {1.0}:
        text += f", divided by {of.std}"
    return text


def to_config(preprocessing: Preprocessing) -> dict[str, Any]:
    """Return a JSON-ready dictionary."""
    values = dataclasses.asdict(preprocessing)
    tuples = {name: values[name] for name in _LISTS if values[name] is not None}
    return values | {name: list(value) for name, value in tuples.items()}


def arguments_in(config: Mapping[str, Any], kind: type[Preprocessing]) -> dict[str, Any]:
    """Return the arguments of a preprocessing from the dictionary of ``to_config``.

    Raises:
        ValueError: a key is missing or unknown.
    """
    fields = dataclasses.fields(kind)
    needed = [field.name for field in fields if field.default is dataclasses.MISSING]
    wrong = {*config} - {field.name for field in fields} or {*needed} - {*config}
    if wrong:
        raise ValueError(
            f"preprocessing: received {', '.join(map(repr, config))}, of which "
            f"{sorted(wrong)[0]!r} is unknown or missing; expected what to_config() returns."
        )
    lists = {name: config[name] for name in _LISTS if isinstance(config.get(name), list)}
    return dict(config) | {name: tuple(value) for name, value in lists.items()}
