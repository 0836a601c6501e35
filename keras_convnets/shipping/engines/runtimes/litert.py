"""LiteRT files, run by LiteRT."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import threading
from typing import Any

import numpy as np

from keras_convnets import quiet
from keras_convnets.shipping.engines.runtimes.opened import (
    Opened,
    Refusal,
    Request,
    batch_type,
    sizes,
    the_only,
)


def opened(request: Request) -> Opened:
    """Open a LiteRT file, whose integers are quantised and dequantised as it says."""
    with quiet.held_back():
        interpreters = importlib.import_module("ai_edge_litert.interpreter")
        interpreter = interpreters.Interpreter(
            model_path=os.fspath(request.path), num_threads=request.threads
        )
        given = the_only(request, "input", interpreter.get_input_details())
        output = the_only(request, "output", interpreter.get_output_details())
        interpreter.allocate_tensors()
    dtype = _batch_type(request, given)
    one = threading.Lock()

    def run(batch: np.ndarray) -> Any:
        with one:  # an interpreter has one place for its input
            if tuple(interpreter.get_input_details()[0]["shape"]) != batch.shape:
                interpreter.resize_tensor_input(given["index"], batch.shape)
                with quiet.held_back():
                    interpreter.allocate_tensors()
            interpreter.set_tensor(given["index"], _quantised(batch, given))
            interpreter.invoke()
            return _dequantised(interpreter.get_tensor(output["index"]), output)

    version = importlib.metadata.version("ai-edge-litert")
    return Opened(version, sizes([int(n) for n in given["shape_signature"]]), dtype, run)


def _batch_type(request: Request, given: dict[str, Any]) -> str:
    """Return the type of batches: integers with a scale of their own are float32 to the caller."""
    own = np.dtype(given["dtype"])
    of_about = request.about.input_dtype if request.about else None
    if own.kind not in "iu" or (own == np.uint8 and of_about == "uint8"):
        return batch_type(request, own.name)
    scale, _ = _scale(given)
    if scale is None:
        return batch_type(request, own.name)
    return of_about or "float32"


def _scale(tensor: dict[str, Any]) -> tuple[float | None, int]:
    """Return the scale and the zero point of a quantised tensor; no scale for any other."""
    found = tensor["quantization_parameters"]
    if len(found["scales"]) == 0:
        return None, 0
    if len(found["scales"]) > 1:
        raise Refusal(
            f"path: a LiteRT file has an input or output of {len(found['scales'])} scales; "
            "expected one. Quantise it a tensor at a time."
        )
    return float(found["scales"][0]), int(found["zero_points"][0])


def _quantised(batch: np.ndarray, given: dict[str, Any]) -> np.ndarray:
    own = np.dtype(given["dtype"])
    scale, zero = _scale(given)
    if own == batch.dtype or scale is None or own.kind not in "iu":
        return batch.astype(own, copy=False)
    limits = np.iinfo(own)
    return np.clip(np.rint(batch / np.float32(scale)) + zero, limits.min, limits.max).astype(own)


def _dequantised(found: np.ndarray, output: dict[str, Any]) -> np.ndarray:
    scale, zero = _scale(output)
    if scale is None or found.dtype.kind not in "iu":
        return found
    return (found.astype(np.float32) - zero) * np.float32(scale)
