"""A functional model as a graph of blocks: plain data, from which figures are drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from keras_convnets.analysis.cost import rules
from keras_convnets.analysis.cost.rows import new_parameters
from keras_convnets.graph.calls import Call, TensorShape, in_papers_order
from keras_convnets.graph.groups import places, unique_names
from keras_convnets.graph.structure import (
    Body,
    Inside,
    heavy_of,
    inside,
    is_dropout,
    steps_of,
    without_dropout,
)
from keras_convnets.graph.walk import walk
from keras_convnets.graph.words import Step, describe, settings_of


@dataclasses.dataclass(frozen=True)
class Price:
    """What a part of the graph costs: parameters, and multiply-adds where they are known.

    ``is_bound`` says that a layer without a rule is missing, so the multiply-adds are at least
    these.
    """

    params: int = 0
    macs: int | None = 0
    is_bound: bool = False

    def __add__(self, other: Price) -> Price:
        known = self.macs is not None and other.macs is not None
        macs = (self.macs or 0) + (other.macs or 0) if known else None
        return Price(self.params + other.params, macs, self.is_bound or other.is_bound)


@dataclasses.dataclass(frozen=True)
class Layer:
    """A use of a layer: a node of the complete graph.

    ``id`` is its name, with a number where a name is met again; ``settings`` tell whether two
    layers do the same.
    """

    id: str
    step: Step
    shape: TensorShape
    dtype: str
    trainable: bool | None
    price: Price
    settings: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Block:
    """A group of layers, drawn as one box; ``repeats`` alike blocks may be drawn as one."""

    name: str
    stage: str | None
    kind: str
    inside: Inside
    layers: tuple[Layer, ...]
    shape: TensorShape
    price: Price
    last: str
    repeats: int = 1


@dataclasses.dataclass(frozen=True)
class Edge:
    """A tensor from one node to another, with its shape."""

    source: str
    target: str
    shape: TensorShape


@dataclasses.dataclass(frozen=True)
class Graph:
    """A model's blocks in the order of computation, and the tensors between them.

    ``layer_edges`` are the tensors between single layers, by their ids.
    """

    name: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]
    layer_edges: tuple[Edge, ...]

    @property
    def price(self) -> Price:
        """What the whole model costs."""
        return sum((block.price for block in self.blocks), Price())


def block_graph(model: Any, *, expand_nested: bool = False) -> Graph:
    """Return the graph of a functional model's blocks.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        expand_nested: whether models within the model are taken apart; else each is one layer.

    Raises:
        ValueError: ``model`` is not a functional Keras model.
    """
    calls = walk(model, expand_nested=expand_nested)
    placed = places(calls, model.name)
    layers = dict(zip(calls, _layers(calls), strict=True))
    groups: dict[str, list[Call]] = {}
    for call in calls:
        groups.setdefault(placed[call].block, []).append(call)
    blocks = tuple(
        _block(name, placed[members[0]].stage, members, [layers[call] for call in members])
        for name, members in groups.items()
    )
    tensors = [
        (tensor.source, call, in_papers_order(tensor.shape, call.data_format))
        for call in calls
        for tensor in call.inputs
    ]
    between = (
        Edge(placed[source].block, placed[call].block, shape)
        for source, call, shape in tensors
        if placed[source].block != placed[call].block
    )
    inner = (Edge(layers[source].id, layers[call].id, shape) for source, call, shape in tensors)
    return Graph(model.name, blocks, _unique(between), tuple(inner))


def fold(graph: Graph) -> Graph:
    """Return the graph with each run of alike blocks as one; its price is that of all of them."""
    sources: dict[str, set[str]] = {block.name: set() for block in graph.blocks}
    targets: dict[str, set[str]] = {block.name: set() for block in graph.blocks}
    for edge in graph.edges:
        sources[edge.target].add(edge.source)
        targets[edge.source].add(edge.target)
    kept: list[Block] = []
    box_of: dict[str, str] = {}
    previous = None
    for block in graph.blocks:
        in_a_row = previous is not None and sources[block.name] == {previous.name}
        if previous and in_a_row and len(targets[previous.name]) == 1 and _alike(previous, block):
            kept[-1] = _merged(kept[-1], block)
        else:
            kept.append(block)
        box_of[block.name] = kept[-1].name
        previous = block
    edges = (Edge(box_of[edge.source], box_of[edge.target], edge.shape) for edge in graph.edges)
    between = (edge for edge in edges if edge.source != edge.target)
    return dataclasses.replace(graph, blocks=tuple(kept), edges=_unique(between))


def by_stage(graph: Graph) -> list[tuple[str, list[Block]]]:
    """Return the stages in order with their blocks; a block of none is a stage by itself."""
    stages: dict[str, list[Block]] = {}
    for block in graph.blocks:
        stages.setdefault(block.stage or block.name, []).append(block)
    return list(stages.items())


def _merged(first: Block, last: Block) -> Block:
    return dataclasses.replace(
        first,
        repeats=first.repeats + 1,
        price=first.price + last.price,
        layers=first.layers + last.layers,
        shape=last.shape,
        last=last.name,
    )


def _alike(one: Block, other: Block) -> bool:
    """Return whether two blocks hold the same; outside a stage, their maps must be alike too.

    Within a stage they need not be: each block of a DenseNet adds channels. Rates of dropout may
    differ: many networks raise them from block to block.
    """
    same_place = one.stage == other.stage and (one.stage is not None or one.shape == other.shape)
    same_words = without_dropout(one.inside) == without_dropout(other.inside)
    return same_place and same_words and _settings(one) == _settings(other)


def _settings(block: Block) -> list[str]:
    return [layer.settings for layer in block.layers if not is_dropout(layer.step)]


def _block(name: str, stage: str | None, calls: Sequence[Call], layers: Sequence[Layer]) -> Block:
    content = inside(calls)
    price = sum((layer.price for layer in layers), Price())
    shape = layers[-1].shape
    return Block(name, stage, _kind(content), content, tuple(layers), shape, price, name)


def _kind(content: Inside) -> str:
    """Return what a block is: by its merge where it has one, else by its weightiest layer."""
    merges = [step for step in steps_of(content.all) if step.kind == "merge" and step.text != "×"]
    if content.merge is not None and content.merge.text != "concat":
        return "residual block"
    if content.merge is not None or any(step.text == "concat" for step in merges):
        return "concatenating block"
    return kind_of_steps(content.all)


def kind_of_steps(body: Body) -> str:
    """Return the kind of the weightiest step; what ends in a dense layer is a classifier."""
    heavy = [step.kind for step in heavy_of(body)]
    if heavy and heavy[-1] == "dense":
        return "dense"
    kinds = [step.kind for step in steps_of(body)]
    order = ("model", "convolution", "dense", "pooling", "merge", "normalisation", "activation")
    return next((kind for kind in order if kind in kinds), kinds[0] if kinds else "other")


def _layers(calls: Sequence[Call]) -> Iterator[Layer]:
    seen: set[int] = set()
    ids = unique_names(call.name for call in calls)
    for call, unique in zip(calls, ids, strict=True):
        yield Layer(
            id=unique,
            step=describe(call.layer),
            shape=call.shape,
            dtype=call.outputs[0].dtype,
            trainable=getattr(call.layer, "trainable", None),
            price=_price(call, seen),
            settings=settings_of(call.layer),
        )


def _price(call: Call, seen: set[int]) -> Price:
    params = sum(size for size, _ in new_parameters(call.layer, seen))
    tensors = (*call.inputs, *call.outputs)
    if any(None in tensor.shape for tensor in tensors):
        return Price(params, None)
    if call.within:
        return sum((_price(one, seen) for one in call.within), Price(params))
    macs = rules.multiply_adds(call)
    return Price(params, macs or 0, is_bound=macs is None)


def _unique(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(dict.fromkeys(edges))
