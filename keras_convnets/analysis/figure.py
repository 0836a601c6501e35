"""From a graph of blocks to a figure for Graphviz: boxes, frames, lines, a title and a legend."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pydot

from keras_convnets.analysis import labels
from keras_convnets.analysis.columns import columns
from keras_convnets.analysis.graph import Block, Edge, Graph, Layer, by_stage, kind_of_steps
from keras_convnets.analysis.style import (
    COLOURS,
    FONT,
    FRAME,
    GREY,
    IDENTITY,
    LINE,
    PROJECTION,
    css_class,
    quoted,
)
from keras_convnets.analysis.tables import sizes

DETAILS = ("stage", "block", "layer")

# Of a column: in heights of a block's box, and of a layer's with the gap below it.
_BLOCK_WIDTH, _LAYER_WIDTH = 5.0, 3.6


@dataclasses.dataclass(frozen=True)
class Look:
    """What a figure shows beside the graph itself."""

    shapes: bool = True
    cost: bool = True
    layer_names: bool = True
    activations: bool = True
    dtype: bool = False
    trainable: bool = False
    rankdir: str = "TB"


def figure(graph: Graph, detail: str, look: Look) -> pydot.Dot:
    """Return the figure of a graph, for Graphviz to lay out."""
    return {"stage": _stages, "block": _blocks, "layer": _layers}[detail](graph, look)


class _Sheet:
    """A figure in the making: nodes in frames, lines between them, broken into columns."""

    def __init__(self, graph: Graph, look: Look, column: dict[str, int]) -> None:
        self.look = look
        self.dot = pydot.Dot(
            quoted(graph.name), rankdir=look.rankdir, fontname=FONT, nodesep=0.3, ranksep=0.24,
            labelloc="t", pad=0.2,
            label=f"<{labels.headline(graph, look.cost)}>",
        )  # fmt: skip
        self.dot.set_node_defaults(
            fontname=FONT, fontsize=12, margin="0.18,0.05", height=0.3,
            shape="box", style="rounded,filled",
        )  # fmt: skip
        self.dot.set_edge_defaults(
            fontname=FONT, fontsize=10, fontcolor=GREY, color=LINE, arrowsize=0.6
        )
        self._column = column
        # Each is a cluster, unseen: Graphviz packs clusters in the order in which they are given.
        self._columns = {
            number: pydot.Cluster(f"column{number}", peripheries=0, margin=0, label=quoted(""))
            for number in sorted(set(column.values()))
        }
        self._count = len(self._columns)
        if self._count > 1:  # lay the columns out one by one and put them side by side, tops level
            self.dot.set("pack", 24)
            self.dot.set("packmode", f"array_it{self._count}")
        self._frames: dict[tuple[str, ...], pydot.Cluster] = {}
        self._marks: dict[tuple[str, int], str] = {}
        self._last = ""
        self.shortcuts: set[str] = set()
        self.kinds: set[str] = set()

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
        """Put a box into its frames, each inside the one before; ``says`` is its tooltip."""
        colour = COLOURS[kind]
        self.kinds.add(kind)
        style: dict[str, Any] = {"fillcolor": colour.fill, "color": colour.border}
        style |= {"group": self._group(self._column[owner]), "class": css_class(kind), "id": node}
        style |= {"tooltip": quoted(says or owner), "label": f"<{label}>"}
        self._frame(self._column[owner], frames).add_node(pydot.Node(node, **style | more))
        self._last = node

    def line(self, source: str, of: str, target: str, to: str, **style: Any) -> None:
        """Draw a line from ``of``'s node to ``to``'s; across columns it goes by a pair of marks."""
        if self._column[of] != self._column[to]:
            source = self._mark(source, of, self._column[to])
        if style.get("label") and self._count > 1:
            style["minlen"] = 2  # Graphviz makes room for labels by itself only in a single column
        self.dot.add_edge(pydot.Edge(source, target, **style))

    def shortcut(self, source: str, of: str, target: str, to: str, label: str) -> None:
        """Draw a shortcut: solid for an identity, dashed and labelled for a projection."""
        kind = "projection" if label else "identity"
        self.shortcuts.add(kind)
        style: dict[str, Any] = {"color": IDENTITY, "penwidth": 1.4, "weight": 0}
        if label:
            style |= {"color": PROJECTION, "style": "dashed", "label": f"  {label} "}
            style["fontcolor"] = PROJECTION
        self.line(source, of, target, to, **{"class": kind}, **style)

    def finished(self, *, folded: bool) -> pydot.Dot:
        """Return the figure, with its legend."""
        for path, frame in self._frames.items():
            outer = self._frames[path[:-1]] if len(path) > 2 else self._columns[int(path[0])]
            outer.add_subgraph(frame)
        self._draw_legend(folded)
        across = self.look.rankdir in ("LR", "RL")  # where Graphviz packs from below
        for number in sorted(self._columns, reverse=across):
            self.dot.add_subgraph(self._columns[number])
        return self.dot

    def _draw_legend(self, folded: bool) -> None:
        """Put the legend below the last node."""
        rows = labels.legend(
            self.kinds, shortcuts=self.shortcuts, folded=folded, cost=self.look.cost
        )
        style: dict[str, Any] = {
            "shape": "plaintext",
            "style": "solid",
            "label": f"<{rows}>",
            "class": "legend",
        }
        column = max(self._columns)
        style["group"] = self._group(column)
        self._columns[column].add_node(pydot.Node("legend", **style, tooltip="legend"))
        self.dot.add_edge(pydot.Edge(self._last, "legend", style="invis"))

    def _group(self, column: int) -> str:
        # One Graphviz group keeps the main path of a column a straight line.
        return f"column{column}"

    def _frame(self, column: int, names: Sequence[str]) -> pydot.Graph:
        """Return the innermost of nested frames; a stage that is broken has one in each column."""
        place: pydot.Graph = self._columns[column]
        for depth in range(1, len(names) + 1):
            path = (str(column), *names[:depth])
            if path not in self._frames:
                self._frames[path] = _frame(path)
            place = self._frames[path]
        return place

    def _mark(self, source: str, of: str, column: int) -> str:
        """Return the mark at the head of a column that stands for a node in another."""
        if (source, column) in self._marks:
            return self._marks[source, column]
        number = len(self._marks) + 1
        leaving, arriving = f"mark{number}out", f"mark{number}in"
        style: dict[str, Any] = {
            "shape": "circle",
            "fixedsize": "true",
            "width": 0.3,
            "label": str(number),
        }
        style |= {"fillcolor": "#ffffff", "color": LINE, "fontsize": 10, "class": "mark"}
        home = self._column[of]
        for name, its_column in ((leaving, home), (arriving, column)):
            hint = f"continued at the other mark {number}"
            style["group"] = self._group(its_column)
            node = pydot.Node(name, tooltip=quoted(hint), **style)
            self._columns[its_column].add_node(node)
        self.dot.add_edge(pydot.Edge(source, leaving, weight=100))
        self._marks[source, column] = arriving
        return arriving


def box_ids(names: Iterable[str]) -> dict[str, str]:
    """Return the ids of boxes in a figure, by what they stand for: names may say anything."""
    return {name: f"box{number}" for number, name in enumerate(names)}


def _stages(graph: Graph, look: Look) -> pydot.Dot:
    stages = by_stage(graph)
    stage_of = {block.name: name for name, blocks in stages for block in blocks}
    box = box_ids(name for name, _ in stages)
    sheet = _Sheet(graph, look, dict.fromkeys(stage_of.values(), 0))
    for name, blocks in stages:
        label = labels.stage_label(name, blocks, look.cost, look.activations)
        sheet.node(box[name], name, label, blocks[-1].kind)
    edges = [Edge(stage_of[e.source], stage_of[e.target], e.shape) for e in graph.edges]
    between = dict.fromkeys(edge for edge in edges if edge.source != edge.target)
    for edge, label in _labelled(between, look):
        ends = (box[edge.source], edge.source, box[edge.target], edge.target)
        sheet.line(*ends, label=label, weight=100)
    return sheet.finished(folded=any(block.repeats > 1 for block in graph.blocks))


def _blocks(graph: Graph, look: Look) -> pydot.Dot:
    blocks = {block.name: block for block in graph.blocks}
    heights = [_height(block) for block in graph.blocks]
    sheet = _Sheet(graph, look, columns(list(blocks), heights, graph.edges, _BLOCK_WIDTH))
    drawn = {name: _draw_block(sheet, box, blocks[name]) for name, box in box_ids(blocks).items()}
    for edge, label in _labelled(graph.edges, look):
        source, target = drawn[edge.source].exit, drawn[edge.target]
        ends = (edge.source, target.entry, edge.target)
        sheet.line(source, *ends, label=label, weight=100)
        content = blocks[edge.target].inside
        if content.shortcut is not None and not content.before:
            words = labels.line_of(content.shortcut)
            sheet.shortcut(source, edge.source, target.exit, edge.target, words)
    return sheet.finished(folded=any(block.repeats > 1 for block in graph.blocks))


class _Drawn(NamedTuple):
    """The first and the last node of a block."""

    entry: str
    exit: str


def _draw_block(sheet: _Sheet, box: str, block: Block) -> _Drawn:
    """Draw a block: its box, where it merges with a shortcut, and what comes before the fork."""
    frames = (block.stage,) if block.stage else ()
    name, content = block.name, block.inside
    label = labels.block_label(block, sheet.look.cost, sheet.look.activations)
    entry = box
    if content.before:
        entry = f"{box}before"
        kind = kind_of_steps(content.before)
        before = labels.lines(content.before, kind, sheet.look.activations)
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
        sheet.shortcut(entry, name, merge, name, labels.line_of(content.shortcut or ()))
    return _Drawn(entry, merge)


def _height(block: Block) -> float:
    """Return about how high a block is drawn, in boxes of one line."""
    extra = 0.8 * (block.inside.merge is not None) + 0.9 * bool(block.inside.before)
    return 1.0 + extra + 0.25 * labels.lines_of(block.inside.body)


def _layers(graph: Graph, look: Look) -> pydot.Dot:
    places = [(block, layer) for block in graph.blocks for layer in block.layers]
    block_of = {layer.id: block for block, layer in places}
    box = box_ids(block_of)
    heights = [float(_depth(block, graph.layer_edges)) for block in graph.blocks]
    names = [block.name for block in graph.blocks]
    column = columns(names, heights, graph.edges, _LAYER_WIDTH)
    sheet = _Sheet(graph, look, {id_: column[block.name] for id_, block in block_of.items()})
    for block, layer in places:
        frames = [name for name in (block.stage, block.name) if name and len(block.layers) > 1]
        label = labels.layer_label(
            layer,
            show_name=look.layer_names,
            show_cost=look.cost,
            show_activations=look.activations,
            extras=_extras(layer, look),
        )
        sheet.node(box[layer.id], layer.id, label, layer.step.kind, *frames)
    steps = {layer.id: layer.step for _, layer in places}
    for edge, label in _labelled(graph.layer_edges, look):
        into = block_of[edge.target]
        ends = (box[edge.source], edge.source, box[edge.target], edge.target)
        from_outside = block_of[edge.source] is not into and not into.inside.before
        if from_outside and into.inside.shortcut == () and steps[edge.target].kind == "merge":
            sheet.shortcut(*ends, "")
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
    """Yield edges with a label where the source has changed the shape: once for each source."""
    edges = list(edges)
    came: dict[str, set[Any]] = {}
    for edge in edges:
        came.setdefault(edge.target, set()).add(edge.shape)
    said: set[tuple[str, Any]] = set()
    for edge in edges:
        changed = came.get(edge.source) != {edge.shape} and (edge.source, edge.shape) not in said
        said.add((edge.source, edge.shape))
        yield edge, f"  {sizes(edge.shape)}" if look.shapes and changed else ""


def _frame(path: Sequence[str]) -> pydot.Cluster:
    stage_frame = len(path) == 2
    return pydot.Cluster(
        quoted(" / ".join(path)),
        label=quoted(path[-1]),
        labeljust="l",
        fontname=FONT,
        fontsize=12 if stage_frame else 9,
        fontcolor=GREY,
        color=FRAME,
        style="rounded",
        peripheries=1,
        labelloc="t",
        margin=8,
        **{"class": "frame"},
    )
