"""A runtime's function, with batches and outputs checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_convnets import memory
from keras_convnets.readers.damage import reason
from keras_convnets.received import shown
from keras_convnets.shipping.engines.engine import BatchShape
from keras_convnets.shipping.engines.runtimes.opened import Opened


def checked(name: str, runtime: str, opened: Opened) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function of a file that takes any number of images, and refuses what is none.

    Args:
        name: the file, as errors show it.
        runtime: the name of its runtime.
        opened: the file.
    """

    def run(batch: np.ndarray) -> np.ndarray:
        _check(batch, opened)
        try:
            found = _at_once(batch, opened)
        except Exception as error:  # each runtime has its own
            if memory.is_exhausted(error):
                raise
            raise ValueError(
                f"batch: {runtime} cannot run {name} on {_words(batch)} ({reason(error)}). Export "
                "the model again, or pass a batch of another size."
            ) from error
        return _outputs(found, len(batch), name)

    return run


def _at_once(batch: np.ndarray, opened: Opened) -> np.ndarray:
    """Run a batch of any size, in parts where the file takes only one number of images."""
    only = opened.shape[0]
    if only is None or only == len(batch):
        return np.asarray(opened.run(batch))
    missing = -len(batch) % only
    full = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)])
    parts = [opened.run(full[start : start + only]) for start in range(0, len(full), only)]
    return np.concatenate(parts)[: len(batch)]


def _check(batch: Any, opened: Opened) -> None:
    """Refuse what is no batch of the file's type and shape, and one without images."""
    fits = (
        isinstance(batch, np.ndarray)
        and batch.dtype == opened.dtype
        and batch.ndim == len(opened.shape)
        and 0 not in batch.shape
        and all(
            size in (None, n) for size, n in zip(opened.shape[1:], batch.shape[1:], strict=True)
        )
    )
    if not fits:
        sizes = ", ".join("any" if size is None else str(size) for size in opened.shape[1:])
        raise ValueError(
            f"batch: received {_words(batch)}; expected an array of {opened.dtype}, (images, "
            f"{sizes}). Prepare the images as the file's metadata says."
        )


def _words(batch: Any) -> str:
    if isinstance(batch, np.ndarray):
        return f"an array of {batch.dtype}, {batch.shape}"
    return shown(batch)


def _outputs(found: np.ndarray, images: int, name: str) -> np.ndarray:
    if found.ndim != 2 or len(found) != images:
        raise ValueError(
            f"path: {name} outputs {found.shape} for {images} images; expected ({images}, "
            "classes). Export a classifier."
        )
    return found.astype(np.float32, copy=False)


def check_images(name: str, shape: BatchShape) -> None:
    """Refuse a file whose input is no batch of images."""
    if len(shape) != 4:
        raise ValueError(
            f"path: {name} takes an input of {len(shape)} dimensions; expected 4, (images, rows, "
            "cols, channels) or channels first. Export a network that takes images."
        )
