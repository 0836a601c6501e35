"""An exported file that its own runtime has opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import Kind

BatchShape = tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class Engine:
    """An exported file in its runtime, ready to be run.

    Attributes:
        kind: the kind of the file.
        path: the file or folder.
        version: that of the runtime.
        about: what the file says of itself; ``None`` for one that this package did not write.
        shape: that of a batch, ``None`` for the images and where any size fits.
        dtype: the type of a batch, ``"float32"`` or ``"uint8"``. A quantised file whose own input
            is integers takes float32 as well: they are quantised as the file says.
        run: the function from a batch to the outputs, (images, classes) of float32. Any number of
            images can be given, at least one. It can be called by several threads at once; LiteRT
            and OpenVINO then compute one batch after the other. The outputs are the caller's own.
    """

    kind: Kind
    path: Path
    version: str
    about: About | None
    shape: BatchShape
    dtype: str
    run: Callable[[np.ndarray], np.ndarray]
