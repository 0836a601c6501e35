"""Dilated convolutions of graphs that were channels first, as every runtime has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

# How TensorFlow spreads an image for a dilated convolution and joins it again, and the attribute
# with the type of the margins that this takes.
_MARGINS = {"SpaceToBatchND": "Tpaddings", "BatchToSpaceND": "Tcrops"}
_TO_LAST, _TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_INT32 = tf.int32.as_datatype_enum


def dilate_in_rows_and_columns(graph: Any) -> None:
    """Write dilation across channels, rows and columns as one across rows and columns, in place.

    The former, by one in channels, is what TensorFlow makes in channels first. LiteRT refuses it.

    Args:
        graph: the definition of a frozen graph.
    """
    nodes = {node.name: node for node in graph.node}
    for node in [node for node in graph.node if node.op in _MARGINS]:
        if nodes[node.input[1]].attr["value"].tensor.tensor_shape.dim[0].size == 3:
            _dilate(graph, node)


def constant(graph: Any, name: str, value: int | Sequence[int]) -> str:
    """Add a constant of whole numbers to a graph; return its name."""
    added = graph.node.add(name=name, op="Const")
    added.attr["dtype"].type = _INT32
    added.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, tf.int32))
    return name


def _dilate(graph: Any, node: Any) -> None:
    """Let an operation be the transposition of what it does to the transposed images."""
    name, margins = node.name, _MARGINS[node.op]
    kinds = {one: node.attr[one].type for one in ("T", "Tblock_shape", margins)}
    inner = graph.node.add(name=f"{name}/channels_last", op=node.op)
    inner.attr.MergeFrom(node.attr)
    inner.input.extend(
        (
            _transposed(graph, f"{name}/images", node.input[0], kinds["T"]),
            _without_first(graph, f"{name}/blocks", node.input[1], 1, kinds["Tblock_shape"]),
            _without_first(graph, f"{name}/margins", node.input[2], 2, kinds[margins]),
        )
    )
    node.op = "Transpose"
    del node.input[:]
    node.input.extend((inner.name, constant(graph, f"{name}/to_first", _TO_FIRST)))
    node.attr.clear()
    _set_types(node, T=kinds["T"], Tperm=_INT32)


def _transposed(graph: Any, name: str, images: str, kind: int) -> str:
    """Add a node of channels_first images in channels last; return its name."""
    inputs = (images, constant(graph, f"{name}/order", _TO_LAST))
    _set_types(graph.node.add(name=name, op="Transpose", input=inputs), T=kind, Tperm=_INT32)
    return name


def _without_first(graph: Any, name: str, value: str, rank: int, kind: int) -> str:
    """Add a node of all but the first row of a vector or matrix; return its name."""
    begin = constant(graph, f"{name}/begin", [1, 0][:rank])
    size = constant(graph, f"{name}/size", [-1] * rank)
    added = graph.node.add(name=name, op="Slice", input=(value, begin, size))
    _set_types(added, T=kind, Index=_INT32)
    return name


def _set_types(node: Any, **kinds: int) -> None:
    for name, kind in kinds.items():
        node.attr[name].type = kind
