"""Many small pictures as one: a grid that is nearly of the shape of a slide."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_ASPECT = 1.9  # of a grid: columns to rows, for square pictures
_LEAST = 12  # pixels of a picture's side, to which smaller ones are enlarged


def grid_shape(count: int, rows: int = 1, cols: int = 1) -> tuple[int, int]:
    """Return the rows and columns of a grid for some pictures of ``rows`` x ``cols`` pixels.

    Examples:
        >>> grid_shape(512), grid_shape(64), grid_shape(6), grid_shape(1)
        ((16, 32), (6, 11), (2, 3), (1, 1))
    """
    wanted = math.sqrt(count * _ASPECT * rows / cols)
    least, most = max(1, math.floor(0.75 * wanted)), max(1, math.ceil(1.2 * wanted))
    choices = range(least, min(count, most) + 1) or range(1, 2)

    def badness(across: int) -> tuple[float, float]:
        empty = -count % across / count
        return empty + abs(math.log(across / wanted)), across

    across = min(choices, key=badness)
    return math.ceil(count / across), across


def tiled(pictures: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return pictures side by side, with thin gaps of NaN between them.

    Args:
        pictures: `(pictures, rows, cols)`, or `(pictures, rows, cols, 3)` for colours.
        shape: the rows and columns of the grid.

    Returns:
        One picture, of one or three channels, in which each pixel may have become several.
    """
    times = enlargement(pictures.shape[1:3])
    large = pictures.repeat(times, axis=1).repeat(times, axis=2)
    rows, cols = large.shape[1:3]
    gap = gap_of(pictures.shape[1:3])
    down, across = shape
    whole = (down * (rows + gap) - gap, across * (cols + gap) - gap, *large.shape[3:])
    found = np.full(whole, np.nan, np.float32)
    for number, one in enumerate(large):
        top, left = (number // across) * (rows + gap), (number % across) * (cols + gap)
        found[top : top + rows, left : left + cols] = one
    return found


def enlargement(sides: Sequence[int]) -> int:
    """Return how many times a pixel is repeated, so that gaps are thin beside the pictures."""
    return max(1, math.ceil(_LEAST / max(sides)))


def gap_of(sides: Sequence[int]) -> int:
    """Return the pixels between two pictures."""
    return max(1, round(max(sides) * enlargement(sides) / 14))
