"""The positions of its input that a layer reads along one axis: windows, upsampling and so on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]

# An empty range is from FAR to -FAR, so that joining it with any range changes nothing. FAR is so
# far beyond all pixels that it stays beyond them when a range is shifted.
FAR = 2**40
# The position that means "no input".
NO_POSITION = -FAR


@dataclasses.dataclass(frozen=True)
class Taps:
    """The input positions that each output position of a layer reads along one axis.

    ``read`` returns a row of input positions for each output position. Moving by ``step_out``
    output positions moves all the input positions by ``step_in``.
    """

    read: Callable[[Ints], Ints]
    step_out: int = 1
    step_in: int = 1


def window(kernel: int, stride: int = 1, dilation: int = 1, before: int = 0) -> Taps:
    """Return the taps of a convolution or pooling with padding of ``before`` at the start."""
    offsets = np.arange(kernel) * dilation - before
    return Taps(lambda positions: positions[:, None] * stride + offsets, step_in=stride)


def same_padding(kernel: int, stride: int, size: int) -> int:
    """Return TensorFlow's padding at the start for ``padding="same"``: the smaller half."""
    total = (math.ceil(size / stride) - 1) * stride + kernel - size
    return max(total, 0) // 2


def adaptive(size: int, outputs: int) -> Taps:
    """Return the taps of adaptive pooling of ``size`` positions to ``outputs``, as in PyTorch."""
    longest = np.arange(math.ceil(size / outputs) + 1)
    shared = math.gcd(size, outputs)

    def read(positions: Ints) -> Ints:
        first = positions * size // outputs
        end = -(-(positions + 1) * size // outputs)
        found = first[:, None] + longest
        return np.where(found < end[:, None], found, NO_POSITION)

    return Taps(read, outputs // shared, size // shared)


def repeated(factor: int) -> Taps:
    """Return the taps of nearest-neighbour upsampling."""
    return Taps(lambda positions: positions[:, None] // factor, step_out=factor)


def interpolated(factor: int) -> Taps:
    """Return the taps of bilinear upsampling: output i lies at (i + 1/2) / factor - 1/2."""

    def read(positions: Ints) -> Ints:
        before, rest = np.divmod(2 * positions + 1 - factor, 2 * factor)
        return np.stack([before, np.where(rest == 0, NO_POSITION, before + 1)], axis=1)

    return Taps(read, step_out=factor)


def transposed(kernel: int, stride: int, before: int) -> Taps:
    """Return the taps of a transposed convolution with padding of ``before`` at the start."""
    back = np.arange(math.ceil(kernel / stride))

    def read(positions: Ints) -> Ints:
        sources = (positions[:, None] + before) // stride - back
        offsets = positions[:, None] + before - sources * stride
        return np.where(offsets < kernel, sources, NO_POSITION)

    return Taps(read, step_out=stride)


# The taps of a single row or column that is broadcast.
FIRST_ONLY = Taps(lambda positions: np.zeros((len(positions), 1), np.int64), step_in=0)
