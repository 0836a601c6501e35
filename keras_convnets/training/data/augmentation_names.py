"""Augmentations by name: one crop and any number of changes with their strengths, joined by +."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import checks
from keras_convnets.received import shown
from keras_convnets.training.data.augmentation import AUGMENTATIONS, Augmentation

_EXAMPLE = "crop-flip+rotation:15+mixup:0.2"


@dataclasses.dataclass(frozen=True)
class Strength:
    """What the number after a name means, as in ``rotation:15``.

    Attributes:
        default: the strength of the name alone.
        most: the greatest; all are above 0.
        meaning: what the number is.
    """

    default: float
    most: float
    meaning: str


STRENGTHS = {
    "rotation": Strength(15.0, 180.0, "degrees"),
    "color-jitter": Strength(0.4, 1.0, "share"),
    "randaugment": Strength(9.0, 10.0, "magnitude"),
    "erasing": Strength(0.25, 1.0, "probability"),
    "mixup": Strength(0.2, 10.0, "alpha"),
    "cutmix": Strength(1.0, 10.0, "alpha"),
}
"""The changes that may follow a crop, each with its strength: ``"crop-flip+mixup:0.2"``.

They are applied in this order, whatever the order of the names.
"""


def augmentation_named(value: Any) -> Augmentation:
    """Return the augmentation with a name.

    Args:
        value: a name of ``AUGMENTATIONS``, names of ``STRENGTHS``, or both, joined by ``+``.

    Raises:
        ValueError: a name is unknown, there twice, or a strength is out of range.

    Examples:
        >>> augmentation = augmentation_named("crop-flip+rotation:10+mixup")
        >>> augmentation.pad, augmentation.rotation, augmentation.mixup
        (4, 10.0, 0.2)
    """
    crop, strengths = _parts(value)
    fields: dict[str, Any] = {
        name.replace("-", "_"): strength for name, strength in strengths.items()
    }
    return dataclasses.replace(AUGMENTATIONS[crop or "none"], **fields)


def full_name(value: Any) -> str:
    """Return the one name of an augmentation that has all its strengths, in order.

    Raises:
        ValueError: as in `augmentation_named`.

    Examples:
        >>> full_name("mixup+crop-flip")
        'crop-flip+mixup:0.2'
        >>> full_name("crop")
        'crop'
    """
    crop, strengths = _parts(value)
    names = [f"{name}:{_digits(strengths[name])}" for name in STRENGTHS if name in strengths]
    return "+".join([crop, *names] if crop else names)


def _digits(number: float) -> str:
    return next(text for text in (f"{number:g}", repr(number)) if float(text) == number)


def _parts(value: Any) -> tuple[str | None, dict[str, float]]:
    """Return the name of the crop, ``None`` if there is none, and the strength of each change."""
    if not isinstance(value, str):
        raise _refused(value)
    crops: list[str] = []
    strengths: dict[str, float] = {}
    for part in value.split("+"):
        name, colon, number = part.partition(":")
        if name in strengths or name in crops:
            raise _refused(value, f", which has {name!r} twice")
        if name in STRENGTHS:
            strengths[name] = _strength(value, name, number) if colon else STRENGTHS[name].default
        elif part in AUGMENTATIONS:
            crops.append(part)
        elif name in AUGMENTATIONS:
            raise _refused(value, f", but {name!r} takes no strength")
        else:
            why = f", of which {shown(part)} is unknown" if part != value else ""
            raise _refused(value, why, checks.did_you_mean(part, [*AUGMENTATIONS, *STRENGTHS]))
    if len(crops) > 1:
        raise _refused(value, f", but {crops[0]!r} and {crops[1]!r} exclude each other")
    if crops == ["none"] and strengths:
        raise _refused(value, ", but 'none' excludes all others")
    return (crops[0] if crops else None), strengths


def _strength(value: str, name: str, number: str) -> float:
    known = STRENGTHS[name]
    try:
        strength = float(number)
    except ValueError:
        strength = float("nan")
    if not 0 < strength <= known.most:
        raise ValueError(
            f"augmentation: received {shown(value)}, with the strength {shown(number)}; expected "
            f"{name}:X with X above 0 and at most {known.most:g} ({known.meaning}). Pass "
            f"{name}:{known.default:g}, for instance, or leave it out."
        )
    return strength


def _refused(value: Any, why: str = "", hint: str = "") -> ValueError:
    changes = ", ".join(
        f"{name}:X (X up to {strength.most:g}, {strength.meaning})"
        for name, strength in STRENGTHS.items()
    )
    return ValueError(
        f"augmentation: received {shown(value)}{why}; expected one of "
        f"{', '.join(map(repr, AUGMENTATIONS))}, or with or without one of them any of {changes}, "
        f"joined by '+'. Pass {_EXAMPLE!r}, for instance.{hint}"
    )
