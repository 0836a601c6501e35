"""Which positions of its input a layer reads, on one axis: windows, upsampling, and the like."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]

# A range of nothing is from FAR to -FAR: whatever it is joined with, nothing changes. FAR is
# beyond all pixels by so much that it stays there when a range is shifted.
FAR = 2**40
# The position that a tap reads where there is none to read.
NO_POSITION = -FAR


@dataclasses.dataclass(frozen=True)
class Taps:
    """The positions of a layer's input that each position of its output reads, on one axis.

    ``read`` returns a row for each position. ``step_out`` positions further in the output, all
    that is read lies ``step_in`` positions further in the input.
    """

    read: Callable[[Ints], Ints]
    step_out: int = 1
    step_in: int = 1


def window(kernel: int, stride: int = 1, dilation: int = 1, before: int = 0) -> Taps:
    """Return the taps of a convolution or pooling that is padded by ``before`` in front."""
    offsets = np.arange(kernel) * dilation - before
    return Taps(lambda positions: positions[:, None] * stride + offsets, step_in=stride)


def same_padding(kernel: int, stride: int, size: int) -> int:
    """Return what TensorFlow pads in front for ``padding="same"``: the smaller half."""
    total = (math.ceil(size / stride) - 1) * stride + kernel - size
    return max(total, 0) // 2


def repeated(factor: int) -> Taps:
    """Return the taps of nearest-neighbour upsampling."""
    return Taps(lambda positions: positions[:, None] // factor, step_out=factor)


def interpolated(factor: int) -> Taps:
    """Return the taps of bilinear upsampling: position i is at (i + 1/2) / factor - 1/2."""

    def read(positions: Ints) -> Ints:
        before, rest = np.divmod(2 * positions + 1 - factor, 2 * factor)
        return np.stack([before, np.where(rest == 0, NO_POSITION, before + 1)], axis=1)

    return Taps(read, step_out=factor)


def transposed(kernel: int, stride: int, before: int) -> Taps:
    """Return the taps of the gradient of a convolution that is padded by ``before`` in front."""
    back = np.arange(math.ceil(kernel / stride))

    def read(positions: Ints) -> Ints:
        sources = (positions[:, None] + before) // stride - back
        offsets = positions[:, None] + before - sources * stride
        return np.where(offsets < kernel, sources, NO_POSITION)

    return Taps(read, step_out=stride)


# A single row or column, broadcast.
FIRST_ONLY = Taps(lambda positions: np.zeros((len(positions), 1), np.int64), step_in=0)
