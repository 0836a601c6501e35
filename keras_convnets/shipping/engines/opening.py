"""Exported files, opened by their runtimes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from keras_convnets import checks, files, memory
from keras_convnets.readers.damage import reason
from keras_convnets.shipping.engines import running
from keras_convnets.shipping.engines.engine import Engine
from keras_convnets.shipping.engines.kinds import (
    LITERT,
    ONNX,
    OPENVINO,
    SAVED_MODEL,
    check_installed,
    kind_of,
)
from keras_convnets.shipping.engines.metadata import about_of
from keras_convnets.shipping.engines.runtimes import (
    litert,
    onnx_runtime,
    openvino_runtime,
    tensorflow,
)
from keras_convnets.shipping.engines.runtimes.opened import Opened, Refusal, Request
from keras_convnets.typed import typed

_RUNTIMES: dict[str, Callable[[Request], Opened]] = {
    SAVED_MODEL.name: tensorflow.opened,
    ONNX.name: onnx_runtime.opened,
    LITERT.name: litert.opened,
    OPENVINO.name: openvino_runtime.opened,
}


@typed
def open_engine(path: str | os.PathLike[str], threads: int | None = None) -> Engine:
    """Open an exported file with the runtime of its kind.

    The runtime computes whatever the file says: a SavedModel may even read and write files. Open
    those of people you trust.

    Args:
        path: a folder (SavedModel), ``.onnx``, ``.tflite`` or ``.xml``.
        threads: how many it may use; by default as many as the runtime takes by itself.
            TensorFlow has one number for the whole process, set before it computes anything.

    Raises:
        ValueError: there is no such file, its runtime is not installed or refuses it, or it is not
            a classifier of images: one input of four dimensions, one output (images, classes).
    """
    kind = kind_of(path)
    if threads is not None:
        threads = checks.positive_integer("threads", threads, "the number of threads, such as 2")
    name, about = files.shown(path), about_of(path)
    check_installed(kind)
    try:
        found = _RUNTIMES[kind.name](Request(Path(path), about, threads))
    except Refusal:
        raise
    except Exception as error:  # each runtime has its own
        if memory.is_exhausted(error):
            raise
        raise ValueError(
            f"path: {kind.runtime} cannot open {name} ({reason(error)}). Expected a whole file "
            "that it knows: export it again."
        ) from error
    running.check_images(name, found.shape)
    shape = (None, *found.shape[1:])
    run = running.checked(name, kind.runtime, found)
    return Engine(kind, Path(path), found.version, about, shape, found.dtype, run)
