"""OpenVINO files: a graph, and the weights beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from keras_convnets.shipping.engines import without_telemetry
from keras_convnets.shipping.export.conversion import conversion
from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.export.names import INPUT, OUTPUT
from keras_convnets.shipping.export.writers.apart import pads_apart
from keras_convnets.shipping.precision.openvino import save

openvino = without_telemetry.openvino()


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a file, and that of the weights beside it."""
    with conversion(graph, "OpenVINO"):
        if precision == "int8":
            model = _in_int8(graph, calibration)
        else:
            shape = openvino.PartialShape([-1 if size is None else size for size in graph.shape])
            definition = pads_apart(graph.function.graph.as_graph_def())
            # By default, all that nothing reads is an output, such as the gradients' parts.
            outputs = [tensor.name for tensor in graph.function.outputs]
            model = openvino.convert_model(definition, input=[shape], output=outputs)
        model.inputs[0].get_tensor().set_names({INPUT})
        model.outputs[0].get_tensor().set_names({OUTPUT})
        _save(model, path, precision)


def _save(model: Any, path: Path, precision: str) -> None:
    """Save a model; let the system say what OpenVINO calls an iostream error."""
    try:
        save(model, path, precision)
    except RuntimeError as error:
        if "iostream" not in str(error):
            raise
        constants = [one for one in model.get_ops() if one.get_type_name() == "Constant"]
        path.write_bytes(bytes(sum(one.get_byte_size() for one in constants)))
        raise OSError(errno.EIO, os.strerror(errno.EIO)) from error  # there is room


def _in_int8(graph: Graph, calibration: Any) -> Any:
    """Return a model in 8-bit integers by way of ONNX, whose integers OpenVINO reads."""
    # Only this precision needs ONNX.
    from keras_convnets.shipping.export.writers.onnx import converted
    from keras_convnets.shipping.precision.onnx import to_int8

    return openvino.Core().read_model(to_int8(converted(graph), calibration).SerializeToString())
