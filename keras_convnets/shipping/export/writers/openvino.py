"""OpenVINO files: a graph, and the weights beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openvino

from keras_convnets.shipping.export.graph import INPUT, OUTPUT, Graph
from keras_convnets.shipping.export.quiet import quiet


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a file, and that of the weights beside it."""
    if precision != "float32":
        raise NotImplementedError
    shape = openvino.PartialShape([-1 if size is None else size for size in graph.shape])
    with quiet():
        converted = openvino.convert_model(graph.function.graph.as_graph_def(), input=[shape])
        converted.inputs[0].get_tensor().set_names({INPUT})
        converted.outputs[0].get_tensor().set_names({OUTPUT})
        openvino.save_model(converted, str(path), compress_to_fp16=False)
