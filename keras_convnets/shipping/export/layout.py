"""Graphs of channels_first models in channels last: most runtimes have no other convolutions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_convnets.shipping.export.culprits import layer_of
from keras_convnets.shipping.export.dilation import constant, dilate_in_rows_and_columns
from keras_convnets.shipping.export.tracing import Spec, of_graph
from keras_convnets.tensorflow_private import with_channels_last

_FIRST = (b"NCHW", b"NCDHW")


def channels_last(model: Any, function: Any, spec: Spec) -> Any:
    """Return a function that computes the same, with convolutions and pooling in channels last.

    The images stay channels first.

    Raises:
        ValueError: an operation that is only known to be channels first is left.
    """
    graph = with_channels_last(function)
    _gather_permuted(graph)
    _decompose(graph)
    dilate_in_rows_and_columns(graph)
    for node in graph.node:
        # To ask for an attribute that a node lacks would give it an empty one.
        is_first = "data_format" in node.attr and node.attr["data_format"].s in _FIRST
        if is_first or node.op.startswith("DataFormat"):
            raise ValueError(
                f"model: received {model.name!r} in channels_first, whose "
                f"{layer_of(model, node.name)} has an operation {node.op} that cannot be written "
                "in channels_last; expected one that can. Build the network in channels_last, and "
                "copy the weights."
            )
    return of_graph(graph, function.outputs[0].name, spec)


def _gather_permuted(graph: Any) -> None:
    """Write permutations of a tensor's sizes, which only TensorFlow has, as gathering."""
    for node in [node for node in graph.node if node.op == "DataFormatVecPermute"]:
        before, after = node.attr["src_format"].s, node.attr["dst_format"].s
        order = constant(graph, f"{node.name}/order", [before.index(axis) for axis in after])
        axis = constant(graph, f"{node.name}/axis", 0)
        kind = node.attr["T"].type
        node.op = "GatherV2"
        node.attr.clear()
        node.attr["Tparams"].type = kind
        for name in ("Tindices", "Taxis"):
            node.attr[name].type = tf.int32.as_datatype_enum
        node.attr["batch_dims"].i = 0
        node.input.extend((order, axis))


def _decompose(graph: Any) -> None:
    """Write operations in one, which only TensorFlow has, as one after the other.

    Its optimizer makes them of chains such as ``relu(-x)``, on processors alone.
    """
    for node in [node for node in graph.node if node.op == "_UnaryOpsComposition"]:
        *others, last = (name.decode() for name in node.attr["op_names"].list.s)
        kind = node.attr["T"].type
        for number, name in enumerate(others):
            before = graph.node.add(name=f"{node.name}/{number}", op=name, input=node.input[:1])
            before.attr["T"].type = kind
            node.input[0] = before.name
        node.op = last
        node.attr.clear()
        node.attr["T"].type = kind
