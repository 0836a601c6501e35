"""ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import tf2onnx.convert

from keras_convnets.shipping.export.graph import INPUT, OUTPUT, Graph
from keras_convnets.shipping.export.quiet import quiet

OPSET = 17
BATCH = "batch"


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a file whose axis of images is named `BATCH`."""
    if precision != "float32":
        raise NotImplementedError
    with quiet():
        converted = _converted(graph)
        onnx.checker.check_model(converted, full_check=True)
    onnx.save(converted, str(path))


def _converted(graph: Graph) -> Any:
    function = graph.function
    names = {function.inputs[0].name: INPUT, function.outputs[0].name: OUTPUT}
    converted, _ = tf2onnx.convert.from_graph_def(
        function.graph.as_graph_def(),
        name=graph.model.name,
        input_names=[function.inputs[0].name],
        output_names=[function.outputs[0].name],
        opset=OPSET,
        tensors_to_rename=names,
    )
    for value in (*converted.graph.input, *converted.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH
    return converted
