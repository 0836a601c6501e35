"""ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import tf2onnx.convert

from keras_convnets.shipping.export.conversion import conversion
from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.export.names import INPUT, OUTPUT
from keras_convnets.shipping.export.writers.apart import pads_apart
from keras_convnets.shipping.export.writers.onnx_pads import merge_pads
from keras_convnets.shipping.precision.onnx import to_float16, to_int8

OPSET = 17
BATCH = "batch"


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a file whose axis of images is named `BATCH`."""
    with conversion(graph, "ONNX Runtime"):
        model = converted(graph)
        _check_known(model)
        if precision == "int8":
            model = to_int8(model, calibration)
        elif precision == "float16":
            model = to_float16(model)
        onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def converted(graph: Graph) -> Any:
    """Return the ONNX model of a graph, in float32."""
    function = graph.function
    names = {function.inputs[0].name: INPUT, function.outputs[0].name: OUTPUT}
    model, _ = tf2onnx.convert.from_graph_def(
        pads_apart(function.graph.as_graph_def()),
        name=graph.model.name,
        input_names=[function.inputs[0].name],
        output_names=[function.outputs[0].name],
        opset=OPSET,
        tensors_to_rename=names,
    )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH
    merge_pads(model)
    return model


def _check_known(converted: Any) -> None:
    """Refuse operations that the converter only copies, because ONNX has none for them."""
    unknown = [
        node for node in converted.graph.node if not onnx.defs.has(node.op_type, node.domain)
    ]
    if unknown:
        names = (f"{node.op_type} {node.name}" for node in unknown)
        raise TypeError(f"ONNX has no operation for {', '.join(names)}")
