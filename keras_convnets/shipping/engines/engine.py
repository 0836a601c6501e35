"""An exported file that its own runtime has opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import Kind


@dataclasses.dataclass(frozen=True)
class Engine:
    """An exported file in its runtime, ready to be run.

    Attributes:
        kind: the kind of the file.
        path: the file or folder.
        version: that of the runtime.
        about: what the file says of itself; ``None`` for one that this package did not write.
        run: the function from a batch, in the layout and the type that `about` says, to the
            outputs, (images, classes) of float32. Any number of images can be given; it is safe to
            be called by one thread at a time.
    """

    kind: Kind
    path: Path
    version: str
    about: About | None
    run: Callable[[np.ndarray], np.ndarray]
