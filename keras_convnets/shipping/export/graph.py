"""A model as a TensorFlow function without variables, which every converter reads."""

from __future__ import annotations

import dataclasses
from typing import Any

INPUT, OUTPUT = "images", "probabilities"


@dataclasses.dataclass(frozen=True)
class Graph:
    """A model as a frozen function.

    Attributes:
        model: the Keras model that it computes, after folding.
        function: the concrete function, of one input `INPUT` with any number of images, and one
            output `OUTPUT` of float32; its weights are constants.
        shape: that of the input, ``None`` where any size fits.
        dtype: that of the input, ``"float32"`` or ``"uint8"``.
        channels_last: whether the axis of the channels of the input is the last.
    """

    model: Any
    function: Any
    shape: tuple[int | None, ...]
    dtype: str
    channels_last: bool
