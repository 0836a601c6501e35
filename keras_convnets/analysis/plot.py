"""Figures of a model: its blocks as boxes, its stages as frames, drawn by Graphviz in-process."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pydot
import pygraphviz

from keras_convnets import checks, files
from keras_convnets.analysis.describe import Step
from keras_convnets.analysis.graph import Block, BlockGraph, block_graph, fold

FORMATS = ("svg", "png", "pdf", "dot")

# Verdana is as wide as DejaVu Sans, so an SVG laid out with the one reads well in the other.
_FONT = "DejaVu Sans,Verdana,Geneva,sans-serif"
_BLUE, _FRAME, _GREY = "#dce9f7", "#c3ccd6", "#6b7680"
# One Graphviz group keeps the main path a straight line; shortcuts must not pull at it.
_NODE: dict[str, Any] = {
    "group": "main",
    "shape": "box",
    "style": "rounded,filled",
    "fillcolor": _BLUE,
    "color": "#5b7fa6",
}
_PLUS: dict[str, Any] = {"label": "+", "shape": "circle", "style": "filled", "fillcolor": "white"}
_PLUS |= {"width": 0.26, "fixedsize": "true", "color": "#5b7fa6"}


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    *,
    show_shapes: bool = True,
    rankdir: str = "TB",
    dpi: int = 120,
) -> None:
    """Draw a functional model block by block: no program but Python is needed.

    Stages are frames and blocks are boxes that say what is inside, in order. A shortcut is an edge
    around its block: solid for an identity, dashed and labelled for a projection. A run of
    alike blocks is one box marked with their number.

    Args:
        model: a functional ``keras.Model``, built by this package or not.
        to_file: the file to write; its suffix says the format: svg, png, pdf or dot.
        show_shapes: whether edges say ``channels × rows × cols`` where a block changes it.
        rankdir: ``"TB"`` draws from top to bottom, ``"LR"`` from left to right.
        dpi: dots per inch of a png.

    Raises:
        ValueError: not a functional model, a format that is not known, a file that cannot be
            written. A file that exists stays as it was then.

    Examples:
        >>> from keras_convnets import ResnetBuilder, plot_model
        >>> model = ResnetBuilder.build_resnet_34((3, 224, 224), 10)
        >>> plot_model(model, "resnet_34.svg")
    """
    target = Path(to_file)
    extension = checks.choice("file extension", target.suffix.lstrip(".").lower(), FORMATS)
    checks.choice("rankdir", rankdir, ("TB", "LR", "BT", "RL"))
    checks.positive_integer("dpi", dpi, "dots per inch, such as 120")
    drawing = to_pydot(fold(block_graph(model)), show_shapes, rankdir)
    drawing.set("dpi", 72 if extension == "svg" else dpi)
    with files.replacing(target) as path:
        if extension == "dot":
            path.write_text(drawing.to_string(), encoding="utf-8")
        else:
            pygraphviz.AGraph(drawing.to_string()).draw(str(path), format=extension, prog="dot")


def to_pydot(graph: BlockGraph, show_shapes: bool = True, rankdir: str = "TB") -> pydot.Dot:
    """Return the figure of a graph of blocks, for Graphviz to lay out."""
    dot = pydot.Dot(_quoted(graph.name), rankdir=rankdir, fontname=_FONT, nodesep=0.35, ranksep=0.3)
    dot.set_node_defaults(fontname=_FONT, fontsize=12, margin="0.16,0.07", **_NODE)
    dot.set_edge_defaults(fontname=_FONT, fontsize=10, fontcolor=_GREY, color=_GREY, arrowsize=0.6)
    frames: dict[str, pydot.Cluster] = {}
    for block in graph.blocks:
        place = dot if block.stage is None else frames.setdefault(block.stage, _frame(block.stage))
        _draw_block(place, block)
    for frame in frames.values():
        dot.add_subgraph(frame)
    _draw_edges(dot, graph, show_shapes)
    return dot


def _frame(stage: str) -> pydot.Cluster:
    return pydot.Cluster(
        stage,
        label=stage,
        labeljust="l",
        fontname=_FONT,
        fontsize=12,
        color=_FRAME,
        style="rounded",
    )


def _draw_block(place: pydot.Graph, block: Block) -> None:
    place.add_node(pydot.Node(_box(block), label=_label(block), tooltip=block.name))
    if block.shortcut is not None:
        place.add_node(pydot.Node(_exit(block), tooltip=f"{block.name} addition", **_PLUS))
        place.add_edge(pydot.Edge(_box(block), _exit(block), weight=100))


def _draw_edges(dot: pydot.Dot, graph: BlockGraph, show_shapes: bool) -> None:
    blocks = {block.name: block for block in graph.blocks}
    last_shape: dict[str, str] = {}
    for edge in graph.edges:
        source, target = blocks[edge.source], blocks[edge.target]
        changed = last_shape.get(source.name) != edge.shape
        label = f"  {edge.shape}" if show_shapes and changed else ""
        dot.add_edge(pydot.Edge(_exit(source), _box(target), label=label, weight=100))
        last_shape[target.name] = edge.shape
        if target.shortcut is not None:
            dot.add_edge(_shortcut_edge(source, target))


def _shortcut_edge(source: Block, target: Block) -> pydot.Edge:
    steps = target.shortcut or ()
    style = {"style": "dashed", "label": f"  {_text(steps)}"} if steps else {}
    return pydot.Edge(_exit(source), _exit(target), weight=0, **style)


def _box(block: Block) -> str:
    return _quoted(f"{block.name}_box")


def _exit(block: Block) -> str:
    return _box(block) if block.shortcut is None else _quoted(f"{block.name}_plus")


def _quoted(name: str) -> str:
    """Return a name as DOT takes it whole: without quotes, ``a:b`` would mean a port of ``a``."""
    return json.dumps(name, ensure_ascii=False)


def _label(block: Block) -> str:
    lines = [_rich(line) for line in _lines(block.steps)]
    if lines == [_rich([Step(block.name, heavy=True)])]:
        return f"<{lines[0]}>"
    times = f"  <B>× {block.repeats}</B>" if block.repeats > 1 else ""
    head = f'<FONT POINT-SIZE="9" COLOR="{_GREY}">{html.escape(_title(block))}</FONT>{times}'
    return f"<{'<BR/>'.join([head, *lines])}>"


def _title(block: Block) -> str:
    """Return what a box is called inside its stage's frame: ``block1``, ``block2 to 6``."""
    title = block.name.removeprefix(f"{block.stage}_")
    if block.repeats == 1:
        return title
    first = int(title.removeprefix("block"))
    return f"{title} to {first + block.repeats - 1}"


def _rich(steps: Iterable[Step]) -> str:
    light = '<FONT COLOR="{}">{}</FONT>'
    texts = (
        html.escape(step.text) if step.heavy else light.format(_GREY, html.escape(step.text))
        for step in steps
    )
    return " → ".join(texts)


def _text(steps: Iterable[Step]) -> str:
    return " → ".join(step.text for step in steps)


def _lines(steps: Iterable[Step]) -> list[list[Step]]:
    """Break the steps into lines of one convolution, pooling or dense layer each.

    What comes before it (batch normalisation, ReLU) shares its line; so does what follows where
    nothing came before, so that both orders read as they are: conv → BN → ReLU in one line, or
    BN → ReLU → conv.
    """
    lines: list[list[Step]] = [[]]
    for step in steps:
        line = lines[-1]
        full = any(done.heavy for done in line) and (step.heavy or not line[0].heavy)
        if full:
            lines.append([])
        lines[-1].append(step)
    return [line for line in lines if line]
