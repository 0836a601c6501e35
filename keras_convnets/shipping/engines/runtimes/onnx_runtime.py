"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

from keras_convnets import quiet
from keras_convnets.shipping.engines.runtimes.opened import (
    Opened,
    Request,
    batch_type,
    sizes,
    the_only,
)

_FATAL = 4  # the level of its log: an error is an exception anyway
_TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


def opened(request: Request) -> Opened:
    """Open an ONNX file for the processor."""
    with quiet.held_back():
        ort = importlib.import_module("onnxruntime")
        options = ort.SessionOptions()
        options.log_severity_level = _FATAL
        if request.threads is not None:
            options.intra_op_num_threads = request.threads
            options.inter_op_num_threads = 1
        session = ort.InferenceSession(
            os.fspath(request.path), options, providers=["CPUExecutionProvider"]
        )
    given = the_only(request, "input", session.get_inputs())
    output = the_only(request, "output", session.get_outputs()).name
    own = _TYPES.get(given.type, given.type)
    dtype = batch_type(request, own)

    def run(batch: np.ndarray) -> Any:
        return session.run([output], {given.name: batch.astype(own, copy=False)})[0]

    return Opened(ort.__version__, sizes(given.shape), dtype, run)
