"""Folding of consecutive equal blocks into one box."""

from __future__ import annotations

import dataclasses

from keras_convnets.analysis.plot.graph.graph import Block, Edge, Graph
from keras_convnets.graph.structure import is_dropout, without_dropout


def fold(graph: Graph) -> Graph:
    """Return the graph with each run of equal blocks merged; the cost of the run is summed."""
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
    return dataclasses.replace(graph, blocks=tuple(kept), edges=tuple(dict.fromkeys(between)))


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
    """Return whether two blocks have equal contents and, outside a stage, equal output shapes.

    Within a stage, shapes may differ, because each block of a DenseNet adds channels. Dropout rates
    may differ too, because many networks increase them from block to block.
    """
    same_place = one.stage == other.stage and (one.stage is not None or one.shape == other.shape)
    same_words = without_dropout(one.inside) == without_dropout(other.inside)
    return same_place and same_words and _settings(one) == _settings(other)


def _settings(block: Block) -> list[str]:
    return [layer.settings for layer in block.layers if not is_dropout(layer.description)]
