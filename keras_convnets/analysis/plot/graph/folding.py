"""Folding of consecutive equal blocks into one box."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection

from keras_convnets.analysis.plot.graph.graph import Block, Edge, Graph
from keras_convnets.graph.structure import is_dropout, without_dropout


def fold(graph: Graph, into_previous: Collection[str] | None = None) -> Graph:
    """Return the graph with each run of equal blocks merged; the cost of the run is summed.

    Args:
        graph: a graph.
        into_previous: the names of the blocks to merge with the one before, of those that
            `repeated` returns; by default all of them.
    """
    merged = repeated(graph) if into_previous is None else into_previous
    kept: list[Block] = []
    box_of: dict[str, str] = {}
    for block in graph.blocks:
        if block.name in merged:
            kept[-1] = _merged(kept[-1], block)
        else:
            kept.append(block)
        box_of[block.name] = kept[-1].name
    edges = (Edge(box_of[edge.source], box_of[edge.target], edge.shape) for edge in graph.edges)
    between = (edge for edge in edges if edge.source != edge.target)
    return dataclasses.replace(graph, blocks=tuple(kept), edges=tuple(dict.fromkeys(between)))


def repeated(graph: Graph) -> set[str]:
    """Return the names of the blocks that equal the one before, whose output only they take."""
    sources: dict[str, set[str]] = {block.name: set() for block in graph.blocks}
    targets: dict[str, set[str]] = {block.name: set() for block in graph.blocks}
    for edge in graph.edges:
        sources[edge.target].add(edge.source)
        targets[edge.source].add(edge.target)
    return {
        block.name
        for previous, block in itertools.pairwise(graph.blocks)
        if sources[block.name] == {previous.name}
        and len(targets[previous.name]) == 1
        and alike(previous, block)
    }


def _merged(first: Block, last: Block) -> Block:
    return dataclasses.replace(
        first,
        repeats=first.repeats + 1,
        price=first.price + last.price,
        layers=first.layers + last.layers,
        shape=last.shape,
        last=last.name,
    )


def alike(one: Block, other: Block) -> bool:
    """Return whether two blocks have equal contents and, outside a stage, equal output shapes.

    Within a stage, shapes may differ, because each block of a DenseNet adds channels. Dropout rates
    may differ too, because many networks increase them from block to block.
    """
    same_place = one.stage == other.stage and (one.stage is not None or one.shape == other.shape)
    same_words = without_dropout(one.inside) == without_dropout(other.inside)
    return same_place and same_words and _settings(one) == _settings(other)


def _settings(block: Block) -> list[str]:
    return [layer.settings for layer in block.layers if not is_dropout(layer.description)]
