"""The description that timm puts beside the weights of a network on the hub: ``config.json``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from keras_convnets.printable import cut
from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile, damage, whole
from keras_convnets.received import shown

CONFIG, MODEL = "config.json", "model.safetensors"
INTERPOLATIONS = ("bilinear", "bicubic")
_MOST_BYTES = 1 << 24
_LARGEST = 4096  # rows of images


class Described(NamedTuple):
    """What a description says.

    Attributes:
        name: the name of the network there, such as ``"resnet50"``.
        tag: the name of its training, such as ``"a1_in1k"``; empty if it has none.
        classes: the number of classes.
        crops: the shares of the shorter side that centre crops keep, by the rows of the images.
        interpolation: ``"bilinear"`` or ``"bicubic"``.
        mean: the mean of each channel of images from 0 to 1.
        std: the standard deviation of each channel.
        licence: the licence; empty if it names none.
    """

    name: str
    tag: str
    classes: int
    crops: dict[int, float]
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    licence: str


def described(config: Path) -> Described | None:
    """Return what a ``config.json`` says; ``None`` if there is none, or not one of timm's.

    Raises:
        ValueError: it cannot be read, or says something that cannot be.
    """
    try:
        text = whole(config, _MOST_BYTES)
        with damage():
            found = json_text.parse(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except DamagedFile as error:
        raise _unusable(config, str(error)) from error
    if not isinstance(found, dict) or not isinstance(found.get("architecture"), str):
        return None
    inner = found.get("pretrained_cfg")
    try:
        return _described(found, inner if isinstance(inner, dict) else found)
    except ValueError as error:
        raise _unusable(config, str(error)) from error


def _described(outer: dict[str, Any], config: dict[str, Any]) -> Described:
    name, _, tag = outer["architecture"].partition(".")
    share = _share("crop_pct", config.get("crop_pct", 0.875))
    crops = {_rows("input_size", config.get("input_size", [3, 224, 224])): share}
    if config.get("test_input_size") is not None:
        test = config.get("test_crop_pct")
        share = share if test is None else _share("test_crop_pct", test)
        crops.setdefault(_rows("test_input_size", config["test_input_size"]), share)
    interpolation = config.get("interpolation", "bicubic")
    if interpolation not in INTERPOLATIONS:
        raise _wrong("interpolation", interpolation, " or ".join(map(repr, INTERPOLATIONS)))
    classes = outer.get("num_classes", config.get("num_classes", 1000))
    if type(classes) is not int or classes < 0:
        raise _wrong("num_classes", classes, "a number of classes")
    return Described(
        name=name,
        tag=_text(config.get("tag")) or tag,
        classes=classes,
        crops=crops,
        interpolation=interpolation,
        mean=_three("mean", config.get("mean", [0.485, 0.456, 0.406])),
        std=_three("std", config.get("std", [0.229, 0.224, 0.225]), above=0),
        licence=_text(config.get("license")),
    )


def _text(value: Any) -> str:
    return cut(value, 60) if isinstance(value, str) else ""


def _rows(what: str, value: Any) -> int:
    sizes = value if isinstance(value, list) else []
    if len(sizes) != 3 or any(type(one) is not int or not 0 < one <= _LARGEST for one in sizes):
        raise _wrong(what, value, "[channels, rows, cols]")
    return min(sizes[1:])


def _share(what: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise _wrong(what, value, "a number above 0 and of at most 1")
    return float(value)


def _three(what: str, value: Any, above: float = -math.inf) -> tuple[float, ...]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 3 or any(
        type(one) not in (int, float) or not above < one < math.inf for one in numbers
    ):
        raise _wrong(what, value, "three numbers, one a channel")
    return tuple(map(float, numbers))


def _wrong(what: str, value: Any, expected: str) -> ValueError:
    return ValueError(f"{what}: received {shown(value)}; expected {expected}")


def _unusable(config: Path, why: str) -> ValueError:
    return ValueError(
        f"weights: cannot read {shown(str(config))} ({why}); expected the description that timm "
        "puts beside its weights. Move the file of weights elsewhere to load it without one."
    )
