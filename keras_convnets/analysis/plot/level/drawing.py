"""The figure of several models side by side, as a Graphviz graph whose parts have positions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import pydot

from keras_convnets.analysis.plot import attributes, labels, legend
from keras_convnets.analysis.plot.boxes import draw_blocks
from keras_convnets.analysis.plot.graph.graph import Graph
from keras_convnets.analysis.plot.level.aligning import Row
from keras_convnets.analysis.plot.level.column import Column, Size
from keras_convnets.analysis.plot.level.differing import difference, is_as_first
from keras_convnets.analysis.plot.level.places import Places
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.sheet.columns import aside
from keras_convnets.analysis.plot.slide.measure import measured, text, text_style
from keras_convnets.analysis.plot.slide.parts import FRAME_TYPE
from keras_convnets.analysis.plot.slide.routes import spline
from keras_convnets.analysis.plot.style import (
    DIFFERENT,
    DIFFERENT_INK,
    escaped,
    grey,
    inked,
)

SMALLEST_TYPE = 9.0  # of the labels as written, in points
_EDGE = 9.0  # of the page
_BELOW_HEADS, _BELOW_TITLE, _ABOVE_LEGEND = 14.0, 6.0, 12.0
_GUTTER = 12.0  # between what differs and the first column
_LARGEST = 1.6  # the largest scale on a page
_DIFFERENT = "rows that differ"


class Drawing(NamedTuple):
    """A figure, and the size of its smallest type in points, on a page if one was given."""

    dot: pydot.Dot
    smallest_type: float


def drawn(graphs: Sequence[Graph], rows: Sequence[Row], look: Look, folded: bool) -> Drawing:
    """Return the figure of graphs whose rows are aligned; their names are the columns' heads."""
    columns = [_column(number, graph, look) for number, graph in enumerate(graphs)]
    words = [difference(row, [graph.name for graph in graphs]) for row in rows]
    _mark(graphs, rows, words, columns)
    return _Figure(graphs, rows, words, columns, look, folded).drawing()


def _column(number: int, graph: Graph, look: Look) -> Column:
    side = aside([block.name for block in graph.blocks], graph.edges)
    column = Column(look, side)
    beside = dataclasses.replace(look, narrow=True)
    names = [block.name for block in graph.blocks]
    looks = {name: beside if name in side else look for name in names}
    draw_blocks(column, graph, looks, {name: f"m{number}b{n}" for n, name in enumerate(names)})
    column.tidy()
    return column


def _mark(
    graphs: Sequence[Graph], rows: Sequence[Row], words: Sequence[str], columns: Sequence[Column]
) -> None:
    """Give the boxes that are not as the first model's a border of their own."""
    for row, differs in zip(rows, words, strict=True):
        for column, block in zip(columns, row, strict=True):
            if differs and block is not None and not is_as_first(block, row[0]):
                for box in column.cells[block.name].boxes:
                    box.style |= {"color": DIFFERENT_INK, "penwidth": 1.8}


class _Figure:
    """Measures the parts of a figure, places them and draws them."""

    def __init__(
        self,
        graphs: Sequence[Graph],
        rows: Sequence[Row],
        words: Sequence[str],
        columns: Sequence[Column],
        look: Look,
        folded: bool,
    ) -> None:
        self._words, self._columns, self._look = words, columns, look
        self._heads = [_head(graph, look) for graph in graphs]
        self._notes = {f"note{n}": _note(word) for n, word in enumerate(words) if word}
        title = look.title or ""
        self._title = f'<FONT POINT-SIZE="15"><B>{escaped(title)}</B></FONT>' if title else ""
        self._legend = _legend(columns, look, folded, any(words)) if look.legend else ""
        self._sizes = self._measured()
        for column in columns:
            column.take(self._sizes)
        gutter = max((self._sizes[note][0] for note in self._notes), default=0.0)
        cells = [tuple(block.name if block else None for block in row) for row in rows]
        heads = [self._sizes[f"head{n}"][0] for n in range(len(graphs))]
        self._places = Places(columns, cells, gutter + _GUTTER if gutter else 0.0, heads)
        self._set_page()

    def _measured(self) -> dict[str, Size]:
        named: dict[str, dict[str, Any]] = {}
        for column in self._columns:
            named |= column.to_measure()
        frames = {box.frame for column in self._columns for box in column.boxes if box.frame}
        named |= {f"frame {name}": text_style(text(name), FRAME_TYPE) for name in frames}
        texts = {f"head{n}": head for n, head in enumerate(self._heads)} | self._notes
        texts |= {"title": self._title} if self._title else {}
        texts |= {"legend": self._legend} if self._legend else {}
        named |= {name: text_style(f"<{label}>", 12) for name, label in texts.items()}
        return measured(named, attributes.of_nodes(self._look))

    def _set_page(self) -> None:
        """Set the size of the figure, its scale on the page, and where its parts begin."""
        title, legend_size = (self._sizes.get(name, (0.0, 0.0)) for name in ("title", "legend"))
        heads = max(self._sizes[f"head{n}"][1] for n in range(len(self._heads)))
        self._head_line = title[1] + (_BELOW_TITLE if self._title else 0.0) + heads / 2
        self._top = self._head_line + heads / 2 + _BELOW_HEADS
        self._bottom = self._top + self._places.height
        width = max(self._places.width, title[0], legend_size[0])
        height = self._bottom + (_ABOVE_LEGEND + legend_size[1] if self._legend else 0.0)
        self._left = (width - self._places.width) / 2
        whole = width + 2 * _EDGE, height + 2 * _EDGE
        page = [72 * side for side in self._look.size or ()] or whole
        self.scale = min(_LARGEST, *(on / side for on, side in zip(page, whole, strict=True)))
        if self._look.size is None:
            self.scale = 1.0
        self._page = [side / self.scale for side in page]
        self._corner = [
            (on - side) / 2 for on, side in zip(self._page, (width, height), strict=True)
        ]

    def _at(self, x: float, y: float) -> str:
        """Return a position, where y grows upwards."""
        return f"{self._corner[0] + x:.2f},{self._page[1] - self._corner[1] - y:.2f}"

    def _in_rows(self, x: float, y: float) -> str:
        return self._at(self._left + x, self._top + y)

    def drawing(self) -> Drawing:
        """Return the figure."""
        width, height = self._page
        sides = f"{width * self.scale / 72:.5f},{height * self.scale / 72:.5f}!"
        dot = pydot.Dot(
            **attributes.of_figure("models", "", self._look), size=sides, pad=0, layout="nop2",
            outputorder="nodesfirst", bb=f"0,0,{width:.2f},{height:.2f}",
        )  # fmt: skip
        dot.set_node_defaults(**attributes.of_nodes(self._look))
        dot.set_edge_defaults(**attributes.of_lines(self._look))
        point = {"shape": "point", "style": "invis", "width": 0.001, "height": 0.001, "label": ""}
        for number, (x, y) in enumerate(((0.36, 0.36), (width - 0.36, height - 0.36))):
            dot.add_node(pydot.Node(f"corner{number}", pos=f"{x:.2f},{y:.2f}", **point))
        self._draw_bands(dot)
        self._draw_frames(dot)
        self._draw_texts(dot)
        for column in self._columns:
            for box in column.boxes:
                where = self._in_rows(*self._places.centre[box.node])
                dot.add_node(pydot.Node(box.node, pos=where, **box.style))
        self._draw_lines(dot)
        return Drawing(dot, self.scale * SMALLEST_TYPE)

    def _draw_bands(self, dot: pydot.Dot) -> None:
        """Draw the bands behind the rows that differ."""
        right = self._places.width
        for number, (word, (top, bottom)) in enumerate(
            zip(self._words, self._places.bands, strict=True)
        ):
            if word:
                ends = self._in_rows(-4, bottom), self._in_rows(right + 4, top)
                band: dict[str, Any] = {"bb": ",".join(ends), "label": '""', "peripheries": 0}
                band |= {"style": "filled", "fillcolor": DIFFERENT, "class": "different"}
                dot.add_subgraph(pydot.Cluster(f"band{number}", **band))

    def _draw_frames(self, dot: pydot.Dot) -> None:
        for number, (name, rect) in enumerate(self._places.frames()):
            width, height = self._sizes[f"frame {name}"]
            ends = self._in_rows(rect.left, rect.bottom), self._in_rows(rect.right, rect.top)
            name_at = self._in_rows(rect.left + 6 + width / 2, rect.top + 2 + height / 2)
            frame = attributes.of_frame(name, self._look, size=FRAME_TYPE)
            frame |= {"bb": ",".join(ends), "lp": name_at}
            frame |= {"lwidth": width / 72, "lheight": height / 72}
            dot.add_subgraph(pydot.Cluster(f"frame{number}", **frame))

    def _draw_texts(self, dot: pydot.Dot) -> None:
        def draw(name: str, label: str, where: str) -> None:
            style = text_style(f"<{label}>", 12) | {"class": "legend", "tooltip": name}
            dot.add_node(pydot.Node(name, pos=where, **style))

        middle = self._left + self._places.width / 2
        if self._title:
            draw("title", self._title, self._at(middle, self._sizes["title"][1] / 2))
        for number, head in enumerate(self._heads):
            where = self._at(self._left + self._places.axis[number], self._head_line)
            draw(f"head{number}", head, where)
        for number, (top, bottom) in enumerate(self._places.bands):
            if (name := f"note{number}") in self._notes:
                x = self._sizes[name][0] / 2
                draw(name, self._notes[name], self._in_rows(x, (top + bottom) / 2))
        if self._legend:
            half = self._sizes["legend"][1] / 2
            draw("legend", self._legend, self._at(middle, self._bottom + _ABOVE_LEGEND + half))

    def _draw_lines(self, dot: pydot.Dot) -> None:
        for route in self._places.routes():
            points = [self._in_rows(*point) for point in spline(route.corners)]
            tip = self._in_rows(*route.corners[-1])
            style = route.line.style | {"pos": f"e,{tip} {' '.join(points)}"}
            if route.line.label:
                style |= {"label": text(route.line.label), "lp": self._in_rows(*route.label)}
            dot.add_edge(pydot.Edge(route.line.source, route.line.target, **style))


def _head(graph: Graph, look: Look) -> str:
    return labels.headline(graph, dataclasses.replace(look, title=None))


def _note(word: str) -> str:
    return grey(word, 10, DIFFERENT_INK)


def _legend(columns: Sequence[Column], look: Look, folded: bool, differs: bool) -> str:
    kinds = {kind for column in columns for kind in column.kinds}
    shortcuts = {kind for column in columns for kind in column.shortcuts}
    keys = legend.keys(kinds, shortcuts, look)
    if differs:
        swatch = f'<TD BORDER="1" BGCOLOR="{DIFFERENT}" COLOR="{DIFFERENT_INK}" {legend.SWATCH}>'
        words = inked(_DIFFERENT, "")
        keys.append(f'{swatch}</TD><TD ALIGN="LEFT">{grey(words, colour=look.grey)}</TD>')
    return legend.table(keys, legend.notes(folded, look))
