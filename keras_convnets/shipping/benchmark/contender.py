"""An engine with a model, ready to be timed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_convnets.shipping.benchmark.ways import Way


@dataclasses.dataclass(frozen=True)
class Taken:
    """The batches that an engine takes.

    Attributes:
        image: the shape of an image, (rows, cols, channels).
        dtype: the type of the batches, ``"float32"`` or ``"uint8"``.
        channels_last: whether the last axis of the batches is that of the channels.
    """

    image: tuple[int, int, int]
    dtype: str = "float32"
    channels_last: bool = True

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """``(channels, rows, cols)`` of an image, as papers write it."""
        rows, cols, channels = self.image
        return channels, rows, cols

    def batch(self, images: int) -> np.ndarray:
        """Return so many images, always the same ones: noise of deviation 1, or any bytes.

        Engines of one model get the same images, whichever axis has the channels.
        """
        random, shape = np.random.default_rng(0), (images, *self.image)
        found: np.ndarray
        if self.dtype == "uint8":
            found = random.integers(0, 256, shape, np.uint8)
        else:
            found = random.standard_normal(shape, np.float32)
        return found if self.channels_last else np.ascontiguousarray(found.transpose(0, 3, 1, 2))


@dataclasses.dataclass(frozen=True)
class Contender:
    """An engine with one model in one precision.

    Attributes:
        model: the name of the model, or of the exported file.
        way: the way to run it.
        precision: its precision.
        run: the function from a batch to the outputs, as an array.
        taken: the batches that it takes.
        path: the file or folder that it runs.
        group: what the outputs and times of contenders are compared within: one network with its
            weights.
    """

    model: str
    way: Way
    precision: str
    run: Callable[[np.ndarray], np.ndarray]
    taken: Taken
    path: Path
    group: str

    @property
    def file_bytes(self) -> int:
        """The size of the file with the weights beside it, or of all files of the folder."""
        if self.path.is_dir():
            return sum(one.stat().st_size for one in self.path.rglob("*") if one.is_file())
        beside = [self.path.with_suffix(".bin")] if self.path.suffix == ".xml" else []
        return sum(one.stat().st_size for one in (self.path, *beside))
