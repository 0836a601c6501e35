"""The graph of a model's blocks, built from its facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.plot.graph.facts import Facts, facts_of
from keras_convnets.analysis.plot.graph.graph import Block, Edge, Graph, Layer
from keras_convnets.graph.branches import Body
from keras_convnets.graph.calls import Call
from keras_convnets.graph.structure import Inside, heavy_of, inside, layers_of


def block_graph(model: Any, *, expand_nested: bool | None = False) -> Graph:
    """Return the graph of a functional model's blocks.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        expand_nested: whether nested models are expanded; otherwise each is one layer. ``None``
            expands those that have several blocks of their own.

    Raises:
        ValueError: if ``model`` is not a functional Keras model.
    """
    facts = facts_of(model, expand_nested=expand_nested)
    return Graph(facts.model, tuple(_blocks(facts)), _edges(facts), _layer_edges(facts))


def _blocks(facts: Facts) -> Iterator[Block]:
    members: dict[str, list[Call]] = {}
    for call in facts.calls:
        members.setdefault(facts.places[call].block, []).append(call)
    for name, calls in members.items():
        layers = [facts.layers[call] for call in calls]
        yield _block(name, facts.places[calls[0]].stage, calls, layers)


def _edges(facts: Facts) -> tuple[Edge, ...]:
    """Return the tensors between blocks, each once even if several layers of a block use it."""
    block = {call: place.block for call, place in facts.places.items()}
    found = (
        Edge(block[tensor.source], block[call], tensor.in_papers_order)
        for call in facts.calls
        for tensor in call.inputs
        if block[tensor.source] != block[call]
    )
    return tuple(dict.fromkeys(found))


def _layer_edges(facts: Facts) -> tuple[Edge, ...]:
    id_of = {call: layer.id for call, layer in facts.layers.items()}
    return tuple(
        Edge(id_of[tensor.source], id_of[call], tensor.in_papers_order)
        for call in facts.calls
        for tensor in call.inputs
    )


def _block(name: str, stage: str | None, calls: Sequence[Call], layers: Sequence[Layer]) -> Block:
    content = inside(calls)
    price = sum((layer.price for layer in layers), Price())
    shape = layers[-1].shape
    return Block(name, stage, _kind(content), content, tuple(layers), shape, price, name)


def _kind(content: Inside) -> str:
    """Return the kind of a block, given by its merge or else by its heaviest layer."""
    merges = [
        layer for layer in layers_of(content.all) if layer.kind == "merge" and layer.text != "×"
    ]
    if content.merge is not None and content.merge.text != "concat":
        return "residual block"
    if content.merge is not None or any(layer.text == "concat" for layer in merges):
        return "concatenating block"
    return kind_of(content.all)


def kind_of(body: Body) -> str:
    """Return the kind of the heaviest layer; a body that ends in a dense layer is a classifier."""
    heavy = [layer.kind for layer in heavy_of(body)]
    if heavy and heavy[-1] == "dense":
        return "dense"
    kinds = [layer.kind for layer in layers_of(body)]
    order = ("model", "convolution", "dense", "pooling", "merge", "normalisation", "activation")
    return next((kind for kind in order if kind in kinds), kinds[0] if kinds else "other")


def stage_kind(blocks: Sequence[Block]) -> str:
    """Return the kind of the last block of a stage, other than activations and the like."""
    heavy = [block.kind for block in blocks if heavy_of(block.inside.all)]
    return (heavy or [blocks[-1].kind])[-1]
