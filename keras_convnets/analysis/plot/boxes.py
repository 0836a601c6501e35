"""The boxes of a block and the labels of lines, on whatever surface they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from keras_convnets.analysis.plot import labels
from keras_convnets.analysis.plot.graph.blocks import kind_of
from keras_convnets.analysis.plot.graph.graph import Block, Edge, Graph
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.tables import sizes
from keras_convnets.graph.branches import Body


class Surface(Protocol):
    """What a figure is drawn on: boxes, the lines between them, and shortcuts."""

    look: Look

    def node(
        self,
        node: str,
        owner: str,
        label: str,
        kind: str,
        *frames: str,
        says: str = "",
        **more: Any,
    ) -> None:
        """Draw a box within its frames; ``says`` is its tooltip."""

    def line(self, source: str, of: str, target: str, to: str, **style: Any) -> None:
        """Draw a line from the node of ``of`` to that of ``to``."""

    def shortcut(self, source: str, of: str, target: str, to: str, content: Body = ()) -> None:
        """Draw a shortcut."""


class _Drawn(NamedTuple):
    """The first and last node drawn for a block."""

    entry: str
    exit: str


def draw_blocks(
    sheet: Surface, graph: Graph, looks: Mapping[str, Look], box: Mapping[str, str]
) -> None:
    """Draw the blocks of a graph, each with its look and its box's id, and the lines between."""
    blocks = {block.name: block for block in graph.blocks}
    drawn = {
        name: _draw_block(sheet, box[name], block, looks[name]) for name, block in blocks.items()
    }
    for edge, label in labelled(graph.edges, sheet.look):
        source, target = drawn[edge.source].exit, drawn[edge.target]
        ends = (edge.source, target.entry, edge.target)
        sheet.line(source, *ends, label=label, weight=100)
        content = blocks[edge.target].inside
        if content.shortcut is not None and not content.before:
            sheet.shortcut(source, edge.source, target.exit, edge.target, content.shortcut)


def _draw_block(sheet: Surface, box: str, block: Block, look: Look) -> _Drawn:
    """Draw a block: its box, the merge with its shortcut, and the layers before the fork."""
    frames = (block.stage,) if block.stage else ()
    name, content = block.name, block.inside
    label = labels.block_label(block, look)
    entry = box
    if content.before:
        entry = f"{box}before"
        kind = kind_of(content.before)
        before = labels.plain_label(content.before, kind, look)
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


def labelled(edges: Iterable[Edge], look: Look) -> Iterator[tuple[Edge, str]]:
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
