"""A functional model as a graph of its blocks: plain data, from which figures are drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from keras_convnets import axes, naming
from keras_convnets.analysis.describe import Step, describe


@dataclasses.dataclass(frozen=True)
class Block:
    """A group of layers, drawn as one box.

    ``shortcut`` is ``None`` for a block without one; otherwise it holds the steps on the shortcut,
    none of them for an identity. ``repeats`` counts the alike blocks that the box stands for.
    """

    name: str
    stage: str | None
    steps: tuple[Step, ...]
    shortcut: tuple[Step, ...] | None
    output_shape: str
    repeats: int = 1


@dataclasses.dataclass(frozen=True)
class Edge:
    """A tensor from one block to another, with its shape."""

    source: str
    target: str
    shape: str


@dataclasses.dataclass(frozen=True)
class BlockGraph:
    """The blocks of a model in the order of computation, and the tensors between them."""

    name: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]


def block_graph(model: Any) -> BlockGraph:
    """Return the graph of a functional model's blocks, as its layers' names group them.

    A layer whose name does not follow [`parse`][keras_convnets.parse] is a block by itself.

    Raises:
        ValueError: ``model`` is not a functional Keras model.
    """
    nodes = _nodes(model)
    data_format = axes.format_of(model)
    groups: dict[str, list[Any]] = {}
    for node in nodes:
        groups.setdefault(_group(node), []).append(node)
    blocks = tuple(_block(name, members, data_format) for name, members in groups.items())
    return BlockGraph(model.name, blocks, tuple(dict.fromkeys(_edges(nodes, data_format))))


def fold(graph: BlockGraph) -> BlockGraph:
    """Return the graph with each run of alike blocks within a stage as one block."""
    kept: list[Block] = []
    box_of: dict[str, str] = {}
    previous = None
    for block in graph.blocks:
        sources = {edge.source for edge in graph.edges if edge.target == block.name}
        if previous and sources == {previous.name} and _alike(previous, block):
            kept[-1] = dataclasses.replace(kept[-1], repeats=kept[-1].repeats + 1)
        else:
            kept.append(block)
        box_of[block.name] = kept[-1].name
        previous = block
    edges = (Edge(box_of[edge.source], box_of[edge.target], edge.shape) for edge in graph.edges)
    between = (edge for edge in edges if edge.source != edge.target)
    return BlockGraph(graph.name, tuple(kept), tuple(dict.fromkeys(between)))


def _alike(one: Block, other: Block) -> bool:
    return one.stage is not None and dataclasses.replace(one, name=other.name) == other


def _nodes(model: Any) -> list[Any]:
    """Return the nodes of the model's graph, inputs first.

    Keras keeps the graph in private attributes only; this is the one place that reads them.
    """
    model = getattr(model, "_functional", None) or model
    by_depth = getattr(model, "_nodes_by_depth", None)
    if not isinstance(model, keras.Model) or by_depth is None:
        raise ValueError(
            f"model: received {model!r}; expected a functional Keras model, such as "
            "ResnetBuilder.build_resnet_34((3, 224, 224), 10) or keras.Model(inputs, outputs)."
        )
    order = {operation: index for index, operation in enumerate(model.operations)}
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return sorted(nodes, key=lambda node: order[node.operation])


def _group(node: Any) -> str:
    parsed = naming.parse(node.operation.name)
    return parsed.group if parsed else node.operation.name


def _block(name: str, members: list[Any], data_format: str) -> Block:
    parsed = naming.parse(members[0].operation.name)
    shortcut = _shortcut(members)
    hidden = set() if shortcut is None else {*shortcut, members[-1]}
    steps = tuple(describe(node.operation) for node in members if node not in hidden)
    return Block(
        name,
        parsed.stage if parsed and parsed.block else None,
        steps,
        None if shortcut is None else tuple(describe(node.operation) for node in shortcut),
        _shape(members[-1], data_format),
    )


def _shortcut(members: list[Any]) -> list[Any] | None:
    """Return the nodes on the shortcut of a block that ends in an addition of two branches.

    The shortcut is the branch with fewer layers; both must be chains that begin at one tensor.
    """
    last = members[-1]
    if type(last.operation).__name__ != "Add" or len(last.parent_nodes) != 2:
        return None
    inside = set(members)
    branches = [list(_chain(parent, inside)) for parent in last.parent_nodes]
    starts = {
        _source(branch, parent) for branch, parent in zip(branches, last.parent_nodes, strict=True)
    }
    if len(starts) != 1 or sum(map(len, branches)) + 1 != len(members):
        return None
    return min(branches, key=len)


def _chain(node: Any, inside: set[Any]) -> Iterator[Any]:
    while node in inside and len(node.parent_nodes) == 1:
        yield node
        node = node.parent_nodes[0]


def _source(branch: list[Any], parent: Any) -> Any:
    return branch[-1].parent_nodes[0] if branch else parent


def _edges(nodes: Iterable[Any], data_format: str) -> Iterator[Edge]:
    for node in nodes:
        for parent in node.parent_nodes:
            if _group(parent) != _group(node):
                yield Edge(_group(parent), _group(node), _shape(parent, data_format))


def _shape(node: Any, data_format: str) -> str:
    sizes = axes.in_papers_order(node.outputs[0].shape, data_format)
    return " × ".join("?" if size is None else str(size) for size in sizes)
