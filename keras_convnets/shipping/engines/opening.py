"""Exported files, opened by their runtimes."""

from __future__ import annotations

import os

from keras_convnets.shipping.engines.engine import Engine


def open_engine(path: str | os.PathLike[str], threads: int | None = None) -> Engine:
    """Open an exported file with the runtime of its kind.

    Args:
        path: a folder (SavedModel), ``.onnx``, ``.tflite`` or ``.xml``.
        threads: how many it may use; by default as many as the runtime takes by itself.

    Raises:
        ValueError: there is no such file, its runtime is not installed or refuses it.
    """
    raise NotImplementedError
