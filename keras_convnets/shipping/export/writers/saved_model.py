"""SavedModel folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_convnets.shipping.export.conversion import conversion
from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.export.tracing import of_graph, spec_of

SIGNATURE = "serving_default"


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a folder that TensorFlow and its servers read, whose weights are constants.

    They are of the type that the graph has: see `in_precision_of`.
    """
    with conversion(graph, "TensorFlow"):
        # What its layers do in training has no place among constants.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(tf.Module(), str(path), {SIGNATURE: _unfused(graph)}, options)


def _unfused(graph: Graph) -> Any:
    """Return the function without additions of biases that TensorFlow would fuse and then refuse.

    On CPUs, it computes grouped convolutions, but not together with what comes after them.
    """
    function = graph.function
    grouped = {
        operation.name for operation in function.graph.get_operations() if _is_grouped(operation)
    }
    definition = function.graph.as_graph_def()
    changed = [
        node
        for node in definition.node
        if node.op == "BiasAdd" and node.input[0].split(":")[0] in grouped
    ]
    if not changed:
        return function
    for node in changed:
        node.op = "AddV2"  # adds along the last axis, too
        node.attr.pop("data_format", None)
    return of_graph(definition, function.outputs[0].name, spec_of(graph.shape, graph.dtype))


def _is_grouped(operation: Any) -> bool:
    if operation.type != "Conv2D":
        return False
    images, kernel = (tensor.shape for tensor in operation.inputs)
    return images[-1] != kernel[-2]
