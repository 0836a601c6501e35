"""Graphs whose padding is kept apart from the padding of the operations after it.

Converters merge a layer of padding into the convolution or pooling after it. Where that pads by
itself, tf2onnx 1.17 and OpenVINO 2026.4 keep one of the two, and the file says something else.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_PADS = ("Pad", "PadV2")
_OPERATIONS = ("Conv2D", "DepthwiseConv2dNative", "AvgPool")
_DILATED = "SpaceToBatchND"  # pads and dilates, for the convolution after it
_MOVED = ("Transpose", "Identity")  # which converters take away, or to another place


def pads_apart(graph: Any) -> Any:
    """Return a graph with an operation that changes nothing after padding that has to stay alone.

    Args:
        graph: the definition of a frozen graph, which is changed in place.
    """
    nodes = {node.name: node for node in graph.node}
    for node in list(graph.node):
        if _pads_by_itself(node) and _source(nodes, node).op in _PADS:
            node.input[0] = _unchanged(graph, node)
    return graph


def _source(nodes: dict[str, Any], node: Any) -> Any:
    """Return the node that computes the images of another one."""
    source = nodes[node.input[0].partition(":")[0]]
    return _source(nodes, source) if source.op in _MOVED else source


def _pads_by_itself(node: Any) -> bool:
    same = node.op in _OPERATIONS and node.attr["padding"].s == b"SAME"
    return same or node.op == _DILATED


def _unchanged(graph: Any, node: Any) -> str:
    """Add the larger of a tensor and minus infinity, which no converter takes out; return its name.

    It is named as the operation after it is, so that what is said of it names that one's layer.
    """
    name = f"{node.name}/unchanged"
    kind = node.attr["T"].type
    least = graph.node.add(name=f"{name}/least", op="Const")
    least.attr["dtype"].type = kind
    least.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(float("-inf"), kind))
    larger = graph.node.add(name=name, op="Maximum", input=[node.input[0], least.name])
    larger.attr["T"].type = kind
    return name
