"""A placed figure as a Graphviz graph whose nodes and lines have positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pydot

from keras_convnets.analysis.plot import attributes
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.slide.measure import text, text_style
from keras_convnets.analysis.plot.slide.parts import FRAME_TYPE, Content
from keras_convnets.analysis.plot.slide.place import NAME, Layout
from keras_convnets.analysis.plot.slide.routes import route, spline

Point = tuple[float, float]

_POINT = 0.36  # the radius of Graphviz' smallest point


class Placed(NamedTuple):
    """A figure with the places of all its parts; ``corner`` is where the rows begin."""

    layout: Layout
    content: Content
    entries: Sequence[Point]
    corner: Point
    width: float
    height: float


class _Canvas:
    """The page in Graphviz' coordinates, where y grows upwards, with the figure at its middle."""

    def __init__(self, placed: Placed, scale: float, look: Look) -> None:
        self.width, self.height = (72 * side / scale for side in look.page)
        self._left = (self.width - placed.width) / 2
        self._top = (self.height - placed.height) / 2
        self._mirrored = look.rankdir == "RL"

    def at(self, x: float, y: float) -> str:
        """Return a position on the page, as a Graphviz attribute."""
        x += self._left
        across = self.width - x if self._mirrored else x
        return f"{across:.2f},{self.height - self._top - y:.2f}"


def emitted(name: str, placed: Placed, scale: float, look: Look) -> pydot.Dot:
    """Return the figure on its page, as a graph for Graphviz' engine ``nop2``."""
    canvas = _Canvas(placed, scale, look)
    width, height = look.page
    dot = pydot.Dot(
        **attributes.of_figure(name, placed.content.heading, look),
        size=f"{width:.5f},{height:.5f}!", pad=0, layout="nop2", outputorder="nodesfirst",
        bb=f"0,0,{canvas.width:.2f},{canvas.height:.2f}",
        lp=canvas.at(placed.width / 2, placed.content.heading_size[1] / 2),
    )  # fmt: skip
    dot.set_node_defaults(**attributes.of_nodes(look))
    dot.set_edge_defaults(**attributes.of_lines(look))
    # Two invisible points hold the page open.
    point = {"shape": "point", "style": "invis", "width": 0.001, "height": 0.001, "label": ""}
    ends = (_POINT, _POINT), (canvas.width - _POINT, canvas.height - _POINT)
    for number, (x, y) in enumerate(ends):
        dot.add_node(pydot.Node(f"corner{number}", pos=f"{x:.2f},{y:.2f}", **point))
    _draw_boxes(dot, placed, canvas, look)
    _draw_lines(dot, placed, canvas)
    for number, (centre, label) in enumerate(
        zip(placed.entries, placed.content.entries, strict=True)
    ):
        style = text_style(f"<{label}>", 12) | {"class": "legend", "tooltip": "legend"}
        dot.add_node(pydot.Node(f"legend{number}", pos=canvas.at(*centre), **style))
    return dot


def _draw_boxes(dot: pydot.Dot, placed: Placed, canvas: _Canvas, look: Look) -> None:
    layout, (left, top) = placed.layout, placed.corner
    places: dict[str | None, Any] = {None: dot}
    for number, (name, rect) in enumerate(layout.frames.items()):
        width, height = placed.content.frames[name]
        frame = pydot.Cluster(
            f"frame{number}",
            **attributes.of_frame(name, look, size=FRAME_TYPE),
            bb=",".join(
                (
                    canvas.at(left + rect.left, rect.bottom + top),
                    canvas.at(left + rect.right, rect.top + top),
                )
            ),
            lp=canvas.at(left + rect.left + NAME + width / 2, rect.top + top + 2 + height / 2),
            lwidth=width / 72,
            lheight=height / 72,
        )
        places[name] = frame
    for node, box in layout.box.items():
        x, y = layout.centre[node]
        places[box.frame].add_node(pydot.Node(node, pos=canvas.at(left + x, top + y), **box.style))
    for name in layout.frames:
        dot.add_subgraph(places[name])


def _draw_lines(dot: pydot.Dot, placed: Placed, canvas: _Canvas) -> None:
    left, top = placed.corner
    for line in placed.layout.lines:
        found = route(placed.layout, line)
        points = [canvas.at(left + x, top + y) for x, y in spline(found.corners)]
        tip = canvas.at(left + found.corners[-1][0], top + found.corners[-1][1])
        style = line.style | {"pos": f"e,{tip} {' '.join(points)}"}
        if line.label:
            lines = [line.label] if placed.layout.gaps(line) else line.short
            at = canvas.at(left + found.label[0], top + found.label[1])
            style |= {"label": text(*lines), "lp": at}
        dot.add_edge(pydot.Edge(line.source, line.target, **style))
