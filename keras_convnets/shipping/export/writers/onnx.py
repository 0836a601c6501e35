"""ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import tensorflow as tf
import tf2onnx
import tf2onnx.tf_loader
from tf2onnx.optimizer import optimize_graph
from tf2onnx.tfonnx import process_tf_graph

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
    try:
        model = _converted(graph, spares_memory=True)
    except (MemoryError, OSError):
        raise
    except Exception:  # of an optimizer, without which the converter can go on
        model = _converted(graph, spares_memory=False)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH
    merge_pads(model)
    return model


def _converted(graph: Graph, spares_memory: bool) -> Any:
    """Convert a graph as ``tf2onnx.convert.from_graph_def`` does, but for its memory.

    That copies all weights before each of a dozen optimizers, in case that one fails, and writes
    them into messages after each, which only grow: of ResNeXt-101, to over 20 GB.
    """
    inputs, outputs = [graph.function.inputs[0].name], [graph.function.outputs[0].name]
    with tf.device("/cpu:0"), tf.Graph().as_default():
        definition = pads_apart(graph.function.graph.as_graph_def())
        definition = tf2onnx.tf_loader.tf_optimize(inputs, outputs, definition)
    with tf.Graph().as_default() as frozen:
        tf.import_graph_def(definition, name="")
        del definition
        made = process_tf_graph(
            frozen,
            continue_on_error=True,
            opset=OPSET,
            input_names=inputs,
            output_names=outputs,
            tensors_to_rename={inputs[0]: INPUT, outputs[0]: OUTPUT},
        )
        if spares_memory:
            made.update_proto = lambda *_, **__: None
        made = optimize_graph(made, catch_errors=not spares_memory)
        if spares_memory:
            del made.update_proto
        return made.make_model(graph.model.name)


def _check_known(converted: Any) -> None:
    """Refuse operations that the converter only copies, because ONNX has none for them."""
    unknown = [
        node for node in converted.graph.node if not onnx.defs.has(node.op_type, node.domain)
    ]
    if unknown:
        names = (f"{node.op_type} {node.name}" for node in unknown)
        raise TypeError(f"ONNX has no operation for {', '.join(names)}")
