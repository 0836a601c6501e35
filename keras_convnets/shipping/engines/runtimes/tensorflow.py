"""SavedModels, run by TensorFlow."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

from keras_convnets import files, quiet
from keras_convnets.shipping.engines.runtimes.opened import (
    Opened,
    Refusal,
    Request,
    batch_type,
    sizes,
    the_only,
)

SIGNATURE = "serving_default"
"""The signature that is run, as TensorFlow Serving runs it too."""

_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def opened(request: Request) -> Opened:
    """Open a SavedModel by its default signature.

    Loading runs operations of its graph, and running it may read and write files.
    """
    graph = request.path / "saved_model.pb"
    if not graph.is_file():
        raise Refusal(
            f"path: received {files.shown(request.path)}, a folder without saved_model.pb; "
            "expected a SavedModel. Name the folder that has this file."
        )
    with quiet.held_back():
        tf = importlib.import_module("tensorflow")
        _set_threads(tf, request.threads)
        loaded = tf.saved_model.load(os.fspath(request.path))
    signature = getattr(loaded, "signatures", {}).get(SIGNATURE)
    if signature is None:
        raise Refusal(
            f"path: {files.shown(request.path)} has no signature {SIGNATURE!r}; expected it. Save "
            "the model with it: model.export() does."
        )
    name, spec = the_only(request, "input", [*signature.structured_input_signature[1].items()])
    output, _ = the_only(request, "output", [*signature.structured_outputs.items()])

    def run(batch: np.ndarray) -> Any:
        return signature(**{name: tf.cast(batch, spec.dtype)})[output].numpy()

    run.loaded = loaded  # type: ignore[attr-defined] # its variables live as long as it does
    dtype = batch_type(request, spec.dtype.name)
    return Opened(tf.__version__, sizes(spec.shape.as_list()), dtype, run)


def _set_threads(tf: Any, threads: int | None) -> None:
    """Let TensorFlow use a number of threads, if it has not begun to use others."""
    threading = tf.config.threading
    set_already = {
        threading.get_intra_op_parallelism_threads() or os.environ.get(_THREADS[0]),
        threading.get_inter_op_parallelism_threads() or os.environ.get(_THREADS[1]),
    }
    if threads is None or {*map(str, set_already)} == {str(threads)}:
        return
    try:
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:  # it has computed something
        given = " and ".join(sorted(str(number or "its own choice") for number in set_already))
        raise Refusal(
            f"threads: received {threads}; expected {given}, which TensorFlow has been using in "
            f"this process. Set it before: {_THREADS[0]}={threads} {_THREADS[1]}={threads}."
        ) from None
