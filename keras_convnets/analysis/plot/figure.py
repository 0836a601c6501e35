"""Graphviz figures of a graph of blocks, at three levels of detail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pydot

from keras_convnets.analysis.plot import labels
from keras_convnets.analysis.plot.blocks import kind_of
from keras_convnets.analysis.plot.columns import aside, columns
from keras_convnets.analysis.plot.extent import stage_extent
from keras_convnets.analysis.plot.graph import Block, Edge, Graph, Layer, by_stage
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.sheet import Sheet
from keras_convnets.analysis.tables import sizes

DETAILS = ("stage", "block", "layer")

# The width of a column, and the height of a row in a figure from left to right. The units are the
# height of a block's box, or the height of a layer's box including the gap below.
_BLOCK_WIDTH, _LAYER_WIDTH = 5.0, 3.6
_BLOCK_ROW, _LAYER_ROW = 4.0, 8.0
_SLIDE = 2.0  # the ratio of width to height for stages in rows, to fit a slide


def figure(graph: Graph, detail: str, look: Look) -> pydot.Dot:
    """Return the Graphviz figure of a graph."""
    return {"stage": _stages, "block": _blocks, "layer": _layers}[detail](graph, look)


def box_ids(names: Iterable[str]) -> dict[str, str]:
    """Return a safe id for the box of each name, since names may contain any character."""
    return {name: f"box{number}" for number, name in enumerate(names)}


def _stages(graph: Graph, look: Look) -> pydot.Dot:
    stages = by_stage(graph)
    stage_of = {block.name: name for name, blocks in stages for block in blocks}
    box = box_ids(name for name, _ in stages)
    edges = [Edge(stage_of[e.source], stage_of[e.target], e.shape) for e in graph.edges]
    between = dict.fromkeys(edge for edge in edges if edge.source != edge.target)
    extents = [stage_extent(blocks, look.goes_across) for _, blocks in stages]
    lengths, widths = zip(*extents, strict=True)
    shape = _SLIDE if look.goes_across else 1.0
    column = columns(list(box), lengths, between, max(widths), shape)
    sheet = Sheet(graph, look, column, aside(list(box), between))
    for name, blocks in stages:
        label = labels.stage_label(name, blocks, look.cost, look.activations)
        sheet.node(box[name], name, label, blocks[-1].kind)
    for edge, label in _labelled(between, look):
        ends = (box[edge.source], edge.source, box[edge.target], edge.target)
        sheet.line(*ends, label=label, weight=100)
    return sheet.finished(folded=any(block.repeats > 1 for block in graph.blocks))


def _blocks(graph: Graph, look: Look) -> pydot.Dot:
    blocks = {block.name: block for block in graph.blocks}
    if look.goes_across:
        lengths, width = (
            [_BLOCK_WIDTH + _extra(block) for block in graph.blocks],
            _BLOCK_ROW,
        )
    else:
        lengths, width = [_height(block) for block in graph.blocks], _BLOCK_WIDTH
    column = columns(list(blocks), lengths, graph.edges, width)
    sheet = Sheet(graph, look, column, aside(list(blocks), graph.edges))
    drawn = {name: _draw_block(sheet, box, blocks[name]) for name, box in box_ids(blocks).items()}
    for edge, label in _labelled(graph.edges, look):
        source, target = drawn[edge.source].exit, drawn[edge.target]
        ends = (edge.source, target.entry, edge.target)
        sheet.line(source, *ends, label=label, weight=100)
        content = blocks[edge.target].inside
        if content.shortcut is not None and not content.before:
            sheet.shortcut(source, edge.source, target.exit, edge.target, content.shortcut)
    return sheet.finished(folded=any(block.repeats > 1 for block in graph.blocks))


class _Drawn(NamedTuple):
    """The first and last node drawn for a block."""

    entry: str
    exit: str


def _draw_block(sheet: Sheet, box: str, block: Block) -> _Drawn:
    """Draw a block: its box, the merge with its shortcut, and the layers before the fork."""
    frames = (block.stage,) if block.stage else ()
    name, content = block.name, block.inside
    label = labels.block_label(block, sheet.look.cost, sheet.look.activations)
    entry = box
    if content.before:
        entry = f"{box}before"
        kind = kind_of(content.before)
        before = labels.plain_label(content.before, kind, sheet.look.activations)
        sheet.node(entry, name, before, kind, *frames)
        sheet.line(entry, name, box, name, weight=100)
    sheet.node(box, name, label, block.kind, *frames)
    if content.merge is None:
        return _Drawn(entry, box)
    round_plus = {"shape": "circle", "fixedsize": "true", "width": 0.26}
    flat = {"height": 0.24, "margin": "0.08,0.02", "fontsize": 10}
    style = round_plus if len(content.merge.text) == 1 else flat
    merge = f"{box}merge"
    sheet.node(merge, name, content.merge.text, "merge", *frames, says=f"{name} merge", **style)
    sheet.line(box, name, merge, name, weight=100)
    if content.before:
        sheet.shortcut(entry, name, merge, name, content.shortcut or ())
    return _Drawn(entry, merge)


def _height(block: Block) -> float:
    """Return the approximate height of a block, in boxes of one line."""
    return 1.0 + _extra(block) + 0.25 * labels.lines_of(block.inside.body)


def _extra(block: Block) -> float:
    """Return the approximate height that a block's merge and the layers before its fork add."""
    return 0.8 * (block.inside.merge is not None) + 0.9 * bool(block.inside.before)


def _layers(graph: Graph, look: Look) -> pydot.Dot:
    places = [(block, layer) for block in graph.blocks for layer in block.layers]
    block_of = {layer.id: block for block, layer in places}
    box = box_ids(block_of)
    length, width = (_LAYER_WIDTH, _LAYER_ROW) if look.goes_across else (1.0, _LAYER_WIDTH)
    lengths = [length * _depth(block, graph.layer_edges) for block in graph.blocks]
    names = [block.name for block in graph.blocks]
    column, side = columns(names, lengths, graph.edges, width), set(aside(names, graph.edges))
    columns_of_layers = {id_: column[block.name] for id_, block in block_of.items()}
    layers_aside = [id_ for id_, block in block_of.items() if block.name in side]
    sheet = Sheet(graph, look, columns_of_layers, layers_aside)
    for block, layer in places:
        frames = [name for name in (block.stage, block.name) if name and len(block.layers) > 1]
        label = labels.layer_label(
            layer,
            show_name=look.layer_names,
            show_cost=look.cost,
            show_activations=look.activations,
            extras=_extras(layer, look),
        )
        sheet.node(box[layer.id], layer.id, label, layer.description.kind, *frames)
    kinds = {layer.id: layer.description.kind for _, layer in places}
    for edge, label in _labelled(graph.layer_edges, look):
        into = block_of[edge.target]
        ends = (box[edge.source], edge.source, box[edge.target], edge.target)
        from_outside = block_of[edge.source] is not into and not into.inside.before
        if from_outside and into.inside.shortcut == () and kinds[edge.target] == "merge":
            sheet.shortcut(*ends)
        else:
            sheet.line(*ends, label=label, weight=10)
    return sheet.finished(folded=False)


def _extras(layer: Layer, look: Look) -> Iterator[str]:
    if look.dtype:
        yield layer.dtype
    if look.trainable and layer.trainable is not None:
        yield "trainable" if layer.trainable else "not trainable"


def _depth(block: Block, edges: Iterable[Edge]) -> int:
    """Return the number of layers on the longest path through a block."""
    depth = {layer.id: 1 for layer in block.layers}
    for edge in edges:  # in the order of computation
        if edge.source in depth and edge.target in depth:
            depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values())


def _labelled(edges: Iterable[Edge], look: Look) -> Iterator[tuple[Edge, str]]:
    """Yield edges with their labels; only the first edge of a source that changes shape has one."""
    edges = list(edges)
    came: dict[str, set[Any]] = {}
    for edge in edges:
        came.setdefault(edge.target, set()).add(edge.shape)
    said: set[tuple[str, Any]] = set()
    for edge in edges:
        changed = came.get(edge.source) != {edge.shape} and (edge.source, edge.shape) not in said
        said.add((edge.source, edge.shape))
        yield edge, f"  {sizes(edge.shape)}" if look.shapes and changed else ""
