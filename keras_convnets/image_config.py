"""The configuration of a ``Preprocessing`` for images of another size or of other channels.

It is what published files, files of weights and models say of their images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAMES = ("none", "0-1", "-1-1", "imagenet", "caffe")
"""The names of the usual ways to prepare images; `images.named` says what they are."""

_GREY_AND_COLOUR = {1, 3}  # channels
_DIGITS = 6  # as `Preprocessing` keeps them


def fitted(config: Mapping[str, Any], image_shape: Sequence[int | None]) -> dict[str, Any] | None:
    """Return the configuration for an input of another size or of other channels.

    A centre crop keeps the same share of the shorter side. Grey images are normalised by the means
    of the colours' means and standard deviations, colours all by those of grey.

    Args:
        config: the configuration, which may be from anybody's file.
        image_shape: ``(channels, rows, cols)`` of the input; ``None`` for what the configuration
            has.

    Returns:
        The configuration; ``None`` if the given one has no size, or the channels are neither those
        that it has nor the other of grey and colour.

    Examples:
        >>> colours = {"channels": 3, "rows": 224, "cols": 224, "shorter_side": 256}
        >>> fitted(colours | {"mean": [0.4, 0.5, 0.6]}, (1, 112, None))
        {'channels': 1, 'rows': 112, 'cols': 224, 'shorter_side': 256, 'mean': [0.5]}
    """
    own: list[Any] = [config.get(name) for name in ("channels", "rows", "cols")]
    if not all(type(size) is int and size > 0 for size in own):
        return None
    channels, rows, cols = (
        has if asked is None else asked for has, asked in zip(own, image_shape, strict=True)
    )
    changed: dict[str, Any] = {"channels": channels, "rows": rows, "cols": cols}
    if channels != own[0]:
        if {channels, own[0]} != _GREY_AND_COLOUR:
            return None
        averaged = {name: _averaged(config.get(name), channels) for name in ("mean", "std")}
        changed |= {name: values for name, values in averaged.items() if values is not None}
        changed |= {"order": "RGB"} if "order" in config else {}
    side = config.get("shorter_side")
    if type(side) is int:
        longest = max(rows, cols)
        changed["shorter_side"] = max(longest, side * longest // max(own[1:]))
    return dict(config) | changed


def _averaged(numbers: Any, count: int) -> list[float] | None:
    """Return the mean of numbers so many times; ``None`` if they are none."""
    if not isinstance(numbers, list | tuple) or not numbers:
        return None
    if not all(isinstance(number, int | float) for number in numbers):
        return None
    return [round(sum(numbers) / len(numbers), _DIGITS)] * count
