"""What is asked of every runtime, and what it answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets import files
from keras_convnets.received import shown
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.engine import BatchShape


class Refusal(ValueError):  # noqa: N818 - what is done with the file
    """A file is refused, in one line that needs no further words."""


@dataclasses.dataclass(frozen=True)
class Request:
    """A file to be opened.

    Attributes:
        path: the file or folder.
        about: what it says of itself, if it does.
        threads: how many the runtime may use; ``None`` for its own choice.
    """

    path: Path
    about: About | None
    threads: int | None


@dataclasses.dataclass(frozen=True)
class Opened:
    """A file that a runtime has opened.

    Attributes:
        version: that of the runtime.
        shape: that of a batch; its first size is ``None``, or the only number of images it takes.
        dtype: the type of a batch that ``run`` takes.
        run: the function from a batch of this shape and type to what the runtime returns.
    """

    version: str
    shape: BatchShape
    dtype: str
    run: Callable[[np.ndarray], Any]


def the_only(request: Request, what: str, found: Sequence[Any]) -> Any:
    """Return the only input or output of a file, and refuse a file of several or none."""
    if len(found) != 1:
        raise Refusal(
            f"path: {files.shown(request.path)} has {len(found)} {what}s; expected one. Export a "
            f"network with one input of images and one output."
        )
    return found[0]


def batch_type(request: Request, dtype: str) -> str:
    """Return ``"float32"`` or ``"uint8"``, the type of the batches for an input of some type."""
    if dtype not in ("float32", "float16", "uint8"):
        raise Refusal(
            f"path: {files.shown(request.path)} takes {shown(dtype)}; expected images of float32, "
            "float16 or uint8. Export a network that takes such."
        )
    return "uint8" if dtype == "uint8" else "float32"


def sizes(shape: Sequence[Any]) -> BatchShape:
    """Return the sizes of a shape, ``None`` for those that are no positive integers."""
    return tuple(size if isinstance(size, int) and size > 0 else None for size in shape)
