"""The batches that a model and its exported file take of the same images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.images.pixel_range import BYTES, range_of, scaled_for
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.resizing import coloured
from keras_convnets.inference.batching import prepared_batches
from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.export.samples import Sample, Samples

_SIZES = (1, 2, 5)  # of the first batches, by which a file of a fixed batch is found
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Feeding:
    """How images reach a model and its file.

    Attributes:
        is_first: whether the model takes channels first.
        graph: what the file is written of.
        inside: the preprocessing in the file, of pixels that are bytes; ``None`` if it has none.
    """

    is_first: bool
    graph: Graph
    inside: Preprocessing | None

    def batches(self, samples: Samples) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
        """Yield indices of images, and their batches: for the model, and for the file.

        The first batches are of 1, 2 and 5 images. Where images of several sizes go into the file,
        those of a batch have one.
        """
        wanted = iter(_SIZES)
        numbers: list[int] = []
        items: list[Sample] = []
        size = next(wanted)
        for number in range(samples.count):
            item = self._item(samples.at(number))
            if items and (len(items) == size or not self._fits(items[0], item)):
                yield self._both(numbers, items)
                size = next(wanted, _BATCH) if len(items) == size else size
                numbers, items = [], []
            numbers.append(number)
            items.append(item)
        yield self._both(numbers, items)

    def of_file(self, sample: Sample) -> np.ndarray:
        """Return a batch of one image for the file."""
        return self._both([0], [self._item(sample)])[2]

    def _item(self, sample: Sample) -> Sample:
        pixels, preprocessing = sample
        if self.inside is None or preprocessing is None:
            return sample
        return _as_bytes(pixels, preprocessing, self.graph.shape[-1]), self.inside

    def _fits(self, one: Sample, other: Sample) -> bool:
        return self.inside is None or one[0].shape == other[0].shape

    def _both(
        self, numbers: list[int], items: list[Sample]
    ) -> tuple[list[int], np.ndarray, np.ndarray]:
        model = self._prepared(items)
        if self.inside is None:
            return numbers, model, model
        return numbers, model, np.stack([pixels for pixels, _ in items])

    def _prepared(self, items: list[Sample]) -> np.ndarray:
        known = [(pixels, how) for pixels, how in items if how is not None]
        if len(known) < len(items):
            return np.stack([pixels for pixels, _ in items])
        return next(prepared_batches(known, self.is_first, len(known))).numpy()


def bytes_inside(preprocessing: Preprocessing) -> Preprocessing:
    """Return a preprocessing for pixels that are bytes, 0 to 255, as files have them.

    Raises:
        ValueError: it is for pixels that begin elsewhere than at 0, which no bytes are.
    """
    found = range_of(preprocessing)
    if found is not None and found.low != 0:
        raise ValueError(
            f"preprocessing: received one for pixels of {found}, to go into the file; expected one "
            "for pixels from 0, as image files have them. Leave --with-preprocessing "
            "(with_preprocessing) out."
        )
    return scaled_for(preprocessing, BYTES)


def of_files(preprocessing: Preprocessing) -> Preprocessing:
    """Return what does the same to the pixels that image files have, for others to read.

    It is as it was for pixels that do not begin at 0, and then says which they are.
    """
    found = range_of(preprocessing)
    return preprocessing if found is None or found.low != 0 else scaled_for(preprocessing, BYTES)


def _as_bytes(pixels: np.ndarray, preprocessing: Preprocessing, channels: Any) -> np.ndarray:
    """Return pixels as bytes, with the channels that the file takes."""
    high = (range_of(preprocessing) or BYTES).high
    found = coloured(tf.constant(pixels), channels).numpy()
    if found.dtype == np.uint8 and high == BYTES.high:
        return found
    return np.rint(np.clip(found * (BYTES.high / high), 0, 255)).astype(np.uint8)
