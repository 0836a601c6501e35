"""OpenVINO files, an .xml and a .bin, run by OpenVINO."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from keras_convnets import files, quiet
from keras_convnets.shipping.engines import without_telemetry
from keras_convnets.shipping.engines.runtimes.opened import (
    Opened,
    Refusal,
    Request,
    batch_type,
    sizes,
    the_only,
)

# By itself OpenVINO computes a float32 file in bfloat16 where the processor can.
_COMPUTED_IN = {"float16": "f16", "bfloat16": "bf16"}


def opened(request: Request) -> Opened:
    """Open an OpenVINO file for the processor, to compute in the precision it was exported in."""
    weights = request.path.with_suffix(".bin")
    if not weights.is_file():
        raise Refusal(
            f"path: received {files.shown(request.path)} without {weights.name} beside it; "
            "expected both, for the weights are there. Copy it too."
        )
    with quiet.held_back():
        ov = without_telemetry.openvino()
        core = ov.Core()
        model = core.read_model(os.fspath(request.path), os.fspath(weights))
        compiled = core.compile_model(model, "CPU", _settings(request))
    given = the_only(request, "input", compiled.inputs)
    the_only(request, "output", compiled.outputs)
    own = np.dtype(given.element_type.to_dtype()).name
    dtype = batch_type(request, own)
    at_work, one = compiled.create_infer_request(), threading.Lock()

    def run(batch: np.ndarray) -> Any:
        with one:  # a request computes one batch at a time, and keeps its outputs until the next
            at_work.infer([batch.astype(own, copy=False)])
            return at_work.get_output_tensor(0).data.copy()

    shape = [size.get_length() if size.is_static else None for size in given.partial_shape]
    return Opened(ov.get_version().split("-")[0], sizes(shape), dtype, run)


def _settings(request: Request) -> dict[str, Any]:
    precision = request.about.precision if request.about else "float32"
    settings = {"INFERENCE_PRECISION_HINT": _COMPUTED_IN.get(precision, "f32")}
    if request.threads is None:
        return settings
    return settings | {"INFERENCE_NUM_THREADS": request.threads}
