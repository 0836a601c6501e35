"""Images compared on that 8-bit integers were calibrated with, too: of others, less is proved."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from keras_convnets.shipping.export.samples import Sample, Samples


class Overlap:
    """Finds, while images are read to be compared on, those that calibrate, too.

    Args:
        calibrate: the images to calibrate with; ``None`` for none.
    """

    def __init__(self, calibrate: Samples | None) -> None:
        self._known: set[bytes] = set()
        if calibrate is not None:
            self._known = {_digest(calibrate.at(number)[0]) for number in range(calibrate.count)}
        self._found: set[int] = set()

    def watching(self, samples: Samples) -> Samples:
        """Return the same images, which are noticed when they are read."""
        if not self._known:
            return samples

        def at(number: int) -> Sample:
            sample = samples.at(number)
            if _digest(sample[0]) in self._known:
                self._found.add(number)
            return sample

        return dataclasses.replace(samples, at=at)

    def notes(self, samples: Samples) -> tuple[str, ...]:
        """Return what has to be said of the images that were read, in lines."""
        if not self._found:
            return ()
        are = "all" if len(self._found) == samples.count else f"{len(self._found):,} of the"
        words = (
            f"{are} {samples.count:,} images compared on are also those that the integers were "
            "calibrated with; others may differ more. Compare on others by --check (check)."
        )
        return (words,)


def _digest(pixels: np.ndarray) -> bytes:
    found = hashlib.blake2b(f"{pixels.dtype} {pixels.shape}".encode())
    found.update(pixels.tobytes())
    return found.digest()
