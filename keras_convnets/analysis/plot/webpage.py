"""A figure as an interactive, self-contained web page."""

from __future__ import annotations

from typing import Any

from keras_convnets.analysis import pages
from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.cost.rules import CONVENTION
from keras_convnets.analysis.plot import labels
from keras_convnets.analysis.plot.figure import box_ids
from keras_convnets.analysis.plot.graph.graph import Block, Graph, Layer, by_stage
from keras_convnets.analysis.tables import shown, sizes


def webpage(graph: Graph, detail: str, svg: str) -> str:
    """Return a page with the figure and the contents of each of its boxes.

    Args:
        graph: the graph as drawn.
        detail: the detail of the figure, which determines what a box represents.
        svg: the figure as SVG.
    """
    data = _data(graph, detail)
    return pages.render(__package__, "page.html", title=graph.name, svg=svg, data=data)


def _data(graph: Graph, detail: str) -> dict[str, Any]:
    price = graph.price
    count = sum(len(block.layers) for block in graph.blocks)
    return {
        "model": graph.name,
        "headline": labels.price_text(price),
        "layers": shown(count),
        "params": shown(price.params),
        "macs": _macs_text(price),
        "convention": CONVENTION,
        "boxes": {"stage": _stages, "block": _blocks, "layer": _layers}[detail](graph),
    }


def _macs_text(price: Price) -> str:
    if price.macs is None:
        return "not known: sizes are open"
    return f"{'≥ ' if price.is_bound else ''}{shown(price.macs)}"


def _stages(graph: Graph) -> list[dict[str, Any]]:
    stages = by_stage(graph)
    box = box_ids(name for name, _ in stages)
    return [
        _box(box[name], name, "", [layer for block in blocks for layer in block.layers])
        for name, blocks in stages
    ]


def _blocks(graph: Graph) -> list[dict[str, Any]]:
    box = box_ids(block.name for block in graph.blocks)
    return [
        _box(box[block.name], _title(block), block.stage or "", list(block.layers))
        for block in graph.blocks
    ]


def _layers(graph: Graph) -> list[dict[str, Any]]:
    places = [(block, layer) for block in graph.blocks for layer in block.layers]
    box = box_ids(layer.id for _, layer in places)
    return [
        _box(box[layer.id], block.name, block.stage or "", list(block.layers))
        | {"marked": layer.id}
        for block, layer in places
    ]


def _title(block: Block) -> str:
    if block.repeats == 1:
        return block.name
    return f"{block.name} to {block.last}: {block.repeats} alike"


def _box(node: str, title: str, stage: str, layers: list[Layer]) -> dict[str, Any]:
    price = sum((layer.price for layer in layers), Price())
    return {
        "id": node,
        "title": title,
        "stage": f"stage {stage}" if stage else "",
        "price": labels.price_text(price),
        "params": price.params,
        "macs": None if price.is_bound else price.macs,
        "shape": sizes(layers[-1].shape),
        "marked": None,
        "layers": [_row(layer) for layer in layers],
    }


def _row(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.id,
        "what": layer.description.in_full(),
        "shape": sizes(layer.shape),
        "params": layer.price.params,
        "macs": None if layer.price.is_bound else layer.price.macs,
    }
