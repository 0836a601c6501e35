"""Graphviz figures of a graph of blocks, at three levels of detail."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator

import pydot

from keras_convnets.analysis.plot import labels
from keras_convnets.analysis.plot.boxes import draw_blocks, labelled
from keras_convnets.analysis.plot.graph.blocks import stage_kind
from keras_convnets.analysis.plot.graph.graph import Block, Edge, Graph, Layer, by_stage
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.sheet.columns import aside, columns
from keras_convnets.analysis.plot.sheet.extent import stage_extent
from keras_convnets.analysis.plot.sheet.scaling import scaled
from keras_convnets.analysis.plot.sheet.sheet import Sheet
from keras_convnets.analysis.plot.slide.composing import SMALLEST_TYPE, Page
from keras_convnets.analysis.plot.slide.setting import best_page
from keras_convnets.analysis.plot.slide.slide import Slide
from keras_convnets.graph.branches import Parallel

DETAILS = ("stage", "block", "layer")

# The width of a column, and the height of a row in a figure from left to right. The units are the
# height of a block's box, or the height of a layer's box including the gap below.
_BLOCK_WIDTH, _LAYER_WIDTH, _LAYER_ROW = 5.0, 3.6, 8.0
_MOST_EDGES = 1.3  # for each block, in a figure whose blocks are in rows


class TooSmallTypeError(ValueError):
    """A figure fits its page only with type that cannot be read; ``points`` is the size of it."""

    def __init__(self, points: float) -> None:
        super().__init__(f"size: the type would be of {points:.1f} points.")
        self.points = points


def figure(graph: Graph, detail: str, look: Look) -> pydot.Dot:
    """Return the Graphviz figure of a graph.

    Stages and blocks from left to right are laid out for a page. If its size is given, the type
    must be legible there.

    Raises:
        TooSmallTypeError: if it is not.
    """
    if look.goes_across and detail != "layer" and not _is_tangled(graph):
        page = best_page(lambda variant: _page(graph, detail, variant), look, _branches(graph))
        dot, points = page.dot, page.smallest_type
    else:
        draw = {"stage": _stages, "block": _blocks, "layer": _layers}[detail]
        sheet = draw(graph, look)
        assert isinstance(sheet, Sheet)
        dot = sheet.finished(folded=detail != "layer" and _is_folded(graph))
        points = scaled(dot, look.size) if look.size else math.inf
    if look.size and points < SMALLEST_TYPE - 0.01:
        raise TooSmallTypeError(points)
    return dot


def box_ids(names: Iterable[str]) -> dict[str, str]:
    """Return a safe id for the box of each name, since names may contain any character."""
    return {name: f"box{number}" for number, name in enumerate(names)}


def _page(graph: Graph, detail: str, look: Look) -> Page:
    slide = {"stage": _stages, "block": _blocks}[detail](graph, look)
    assert isinstance(slide, Slide)
    return slide.finished(folded=_is_folded(graph))


def _is_tangled(graph: Graph) -> bool:
    """Return whether blocks are so far from a chain that rows of them would be hard to follow."""
    return len(graph.edges) > _MOST_EDGES * len(graph.blocks)


def _is_folded(graph: Graph) -> bool:
    return any(block.repeats > 1 for block in graph.blocks)


def _branches(graph: Graph) -> bool:
    return any(isinstance(item, Parallel) for block in graph.blocks for item in block.inside.all)


def _stages(graph: Graph, look: Look) -> Sheet | Slide:
    stages = by_stage(graph)
    stage_of = {block.name: name for name, blocks in stages for block in blocks}
    box = box_ids(name for name, _ in stages)
    edges = [Edge(stage_of[e.source], stage_of[e.target], e.shape) for e in graph.edges]
    between = dict.fromkeys(edge for edge in edges if edge.source != edge.target)
    side = aside(list(box), between)
    sheet: Sheet | Slide
    if look.goes_across and not _is_tangled(graph):
        sheet = Slide(graph, look, side)
    else:
        extents = [stage_extent(blocks) for _, blocks in stages]
        lengths, widths = zip(*extents, strict=True)
        column = columns(list(box), lengths, between, max(widths), look.length_to_width)
        sheet = Sheet(graph, look, column, side)
    for name, blocks in stages:
        inline = dataclasses.replace(look, narrow=False, flat=True) if name in side else look
        label = labels.stage_label(name, blocks, inline)
        sheet.node(box[name], name, label, stage_kind(blocks))
    for edge, label in labelled(between, look):
        ends = (box[edge.source], edge.source, box[edge.target], edge.target)
        sheet.line(*ends, label=label, weight=100)
    return sheet


def _blocks(graph: Graph, look: Look) -> Sheet | Slide:
    blocks = {block.name: block for block in graph.blocks}
    side = aside(list(blocks), graph.edges)
    sheet: Sheet | Slide
    if look.goes_across and not _is_tangled(graph):
        sheet = Slide(graph, look, side)
    else:
        lengths = [_height(block) for block in graph.blocks]
        sheet = Sheet(
            graph,
            look,
            columns(list(blocks), lengths, graph.edges, _BLOCK_WIDTH, look.length_to_width),
            side,
        )
    inline = dataclasses.replace(look, narrow=False, flat=True)
    looks = {name: inline if name in side else look for name in blocks}
    draw_blocks(sheet, graph, looks, box_ids(blocks))
    return sheet


def _height(block: Block) -> float:
    """Return the approximate height of a block, in boxes of one line."""
    return 1.0 + _extra(block) + 0.25 * labels.lines_of(block.inside.body)


def _extra(block: Block) -> float:
    """Return the approximate height that a block's merge and the layers before its fork add."""
    return 0.8 * (block.inside.merge is not None) + 0.9 * bool(block.inside.before)


def _layers(graph: Graph, look: Look) -> Sheet:
    places = [(block, layer) for block in graph.blocks for layer in block.layers]
    block_of = {layer.id: block for block, layer in places}
    box = box_ids(block_of)
    length, width = (_LAYER_WIDTH, _LAYER_ROW) if look.goes_across else (1.0, _LAYER_WIDTH)
    lengths = [length * _depth(block, graph.layer_edges) for block in graph.blocks]
    names = [block.name for block in graph.blocks]
    column, side = (
        columns(names, lengths, graph.edges, width, look.length_to_width),
        set(aside(names, graph.edges)),
    )
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
    for edge, label in labelled(graph.layer_edges, look):
        into = block_of[edge.target]
        ends = (box[edge.source], edge.source, box[edge.target], edge.target)
        from_outside = block_of[edge.source] is not into and not into.inside.before
        if from_outside and into.inside.shortcut == () and kinds[edge.target] == "merge":
            sheet.shortcut(*ends)
        else:
            sheet.line(*ends, label=label, weight=10)
    return sheet


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
