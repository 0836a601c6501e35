"""Padding and slicing of a tensor along one axis."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


def pad(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    """Return ``x`` with zeros before and after it along one axis."""
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (before, after)
    return keras.ops.pad(x, widths)


def take(x: Tensor, axis: int, start: int, count: int) -> Tensor:
    """Return ``count`` positions of ``x`` along one axis, from ``start``."""
    slices = [slice(None)] * len(x.shape)
    slices[axis] = slice(start, start + count)
    return x[tuple(slices)]
