"""Padding and minimum sizes of feature maps."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from keras_convnets import axes, checks

Pair = tuple[int, int]
Padding = str | int | Pair


class TooSmallError(ValueError):
    """The feature maps are too small for a layer."""


def pair(value: int | Pair) -> Pair:
    """Return a size as a pair of rows and columns: ``(3, 3)`` for ``3``."""
    rows, cols = value if isinstance(value, Sequence) else (value, value)
    return operator.index(rows), operator.index(cols)


def check_window(window: int | Pair, strides: int | Pair) -> None:
    """Refuse a window or strides that are not at least 1."""
    for what, size in (("window", window), ("strides", strides)):
        for one in pair(size):
            checks.positive_integer(what, one, "rows and columns, such as 3")


def zeros(padding: Padding, window: int | Pair) -> Pair | None:
    """Return how many rows and columns of zeros are added on each side.

    Return ``None`` for "same", which may pad one side more than the other.
    """
    if isinstance(padding, str):
        checks.choice("padding", padding, ("same", "valid", "symmetric"))
    if padding == "same":
        return None
    if padding == "symmetric":
        rows, cols = pair(window)
        return (rows - 1) // 2, (cols - 1) // 2
    return pair(0 if padding == "valid" else padding)  # type: ignore[arg-type]


def check_size(
    x: Any,
    layer: str,
    window: int | Pair,
    strides: int | Pair,
    padding: Padding,
    beyond: int = 0,
) -> None:
    """Reject feature maps smaller than the window, or of size 1 along an axis with a stride.

    With padding, Keras accepts a stride over a single pixel, but the stage would no longer reduce
    the size. The last window may extend by ``beyond`` rows and columns beyond the edge.
    """
    check_window(window, strides)
    sizes = axes.rows_and_cols(x)
    around = zeros(padding, window)
    for axis, size in enumerate(sizes):
        extent, step = pair(window)[axis], pair(strides)[axis]
        least = max(min(step, 2), 1 if around is None else extent - 2 * around[axis] - beyond)
        if size is not None and size < least:
            rows, cols = sizes
            raise TooSmallError(
                f"a {layer} with window {pair(window)} and strides {pair(strides)} gets maps of "
                f"{rows} x {cols}"
            )
