"""The places of rows, columns, boxes and lines. All are in points, and y grows downwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from keras_convnets.analysis.plot.level.column import ARC, ASIDE, BESIDE, GAP, LANE, Column
from keras_convnets.analysis.plot.slide.parts import Box, Line, Rect

Point = tuple[float, float]
Cells = Sequence[str | None]
"""The names of the blocks of a row, one for each column."""

_BETWEEN_ROWS = 16.0
_WITH_LABEL = 24.0  # between rows, where a line has a label
_NAME = 15.0  # for the name of a frame, above its first box
_AROUND = 8.0  # from boxes to their frame
_END = 5.0  # below the last box of a frame
_BETWEEN_COLUMNS = 30.0
_TAP = 7.0  # above a box, where its shortcut leaves the incoming line


@dataclasses.dataclass(frozen=True)
class Route:
    """The corners of a line, from its start to the tip of its arrow, and its label's centre."""

    line: Line
    corners: Sequence[Point]
    label: Point


class Places:
    """Where all is, from the corner of the rows: the heads of the columns are above."""

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Cells],
        gutter: float,
        heads: Sequence[float],
    ) -> None:
        self._columns, self._rows = columns, rows
        self.row_of = [
            {name: n for n, row in enumerate(rows) if (name := row[number]) is not None}
            for number in range(len(columns))
        ]
        self._place_columns(gutter, heads)
        self._place_rows()
        self.centre = self._centres()

    def _place_columns(self, gutter: float, heads: Sequence[float]) -> None:
        self.axis: list[float] = []
        x = gutter
        for column, head in zip(self._columns, heads, strict=True):
            left = max(column.left + _AROUND, head / 2)
            self.axis.append(x + left)
            x += left + max(column.right + _AROUND, head / 2) + _BETWEEN_COLUMNS
        self.width = x - _BETWEEN_COLUMNS

    def _place_rows(self) -> None:
        self.tops: list[float] = []
        self.bands: list[tuple[float, float]] = []
        y = 0.0
        for number, row in enumerate(self._rows):
            y += self._above(number)
            self.tops.append(y)
            height = max(
                column.cells[name].height
                for column, name in zip(self._columns, row, strict=True)
                if name is not None
            )
            self.bands.append((y - _TAP - 3, y + height + 5))
            y += height
        self.height = y + _AROUND

    def _above(self, row: int) -> float:
        """Return the height between a row and the one before."""
        cells = [
            (number, column, name)
            for number, (column, name) in enumerate(
                zip(self._columns, self._rows[row], strict=True)
            )
            if name is not None
        ]
        labelled = any(
            line.label and line.to == name and line.of != name
            for _, column, name in cells
            for line in column.lines
        )
        between = _WITH_LABEL if labelled else _BETWEEN_ROWS
        starts = any(self._starts(number, name) for number, _, name in cells)
        return (between if row else _TAP) + (_NAME if starts else 0.0)

    def _starts(self, number: int, name: str) -> bool:
        """Return whether a block is the first one of its frame."""
        frame = self._columns[number].cells[name].boxes[0].frame
        return frame is not None and self._framed(number)[frame][0] == name

    def _framed(self, number: int) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, cell in self._columns[number].cells.items():
            if (frame := cell.boxes[0].frame) is not None:
                found.setdefault(frame, []).append(name)
        return found

    def _centres(self) -> dict[str, Point]:
        found: dict[str, Point] = {}
        for number, column in enumerate(self._columns):
            for name, cell in column.cells.items():
                y = self.tops[self.row_of[number][name]]
                x = self.axis[number]
                if name in column.aside:
                    x += column.middle + ASIDE + cell.width / 2
                for box in cell.boxes:
                    found[box.node] = (x, y + box.height / 2)
                    y += box.height + GAP
        return found

    def frames(self) -> list[tuple[str, Rect]]:
        """Return the names and places of the frames around the blocks of a stage."""
        found = []
        for number, column in enumerate(self._columns):
            for frame, names in self._framed(number).items():
                last = column.cells[names[-1]].boxes[-1]
                top = self.tops[self.row_of[number][names[0]]] - _NAME - _TAP - 2
                bottom = self.centre[last.node][1] + last.height / 2 + _END
                left, right = self._sides(column, names)
                axis = self.axis[number]
                found.append((frame, Rect(axis - left, top, axis + right, bottom)))
        return found

    def _sides(self, column: Column, names: Sequence[str]) -> tuple[float, float]:
        """Return how far a frame goes to the left and to the right of its column's axis."""
        cells = [column.cells[name] for name in names]
        half = max(cell.width for cell in cells) / 2
        arcs = [
            cell.width / 2 + ARC + (BESIDE + cell.arc.size[0] if cell.arc.label else 0.0)
            for cell in cells
            if cell.arc
        ]
        return half + _AROUND, max([half, *arcs]) + _AROUND

    def routes(self) -> list[Route]:
        """Return the ways of all lines and shortcuts."""
        found = []
        for number, column in enumerate(self._columns):
            sizes = {box.node: box for box in column.boxes}
            passing, lanes = column.passing(), column.lanes()
            half = max(column.cells[name].width for name in column.main) / 2
            for line in column.lines:
                if line in passing:
                    lane = self.axis[number] - half - LANE * (lanes[passing.index(line)] + 2)
                    found.append(self._past(line, sizes, lane))
                else:
                    found.append(self._down(line, sizes))
            arcs = [(name, cell.arc) for name, cell in column.cells.items() if cell.arc]
            found += [self._around(column, name, arc) for name, arc in arcs]
        return found

    def _down(self, line: Line, sizes: Mapping[str, Box]) -> Route:
        """Return the way to the box below, or to one beside the main path."""
        (x, y), (x2, y2) = self.centre[line.source], self.centre[line.target]
        start, end = y + sizes[line.source].height / 2, y2 - sizes[line.target].height / 2
        label = (x2 + BESIDE + line.size[0] / 2, end - _TAP - 3 - line.size[1] / 2)
        if abs(x - x2) < 1:
            return Route(line, [(x, start), (x2, end)], label)
        across = end - _TAP
        return Route(line, [(x, start), (x, across), (x2, across), (x2, end)], label)

    def _past(self, line: Line, sizes: Mapping[str, Box], lane: float) -> Route:
        """Return the way past other blocks, to the left of them."""
        (x, y), (x2, y2) = self.centre[line.source], self.centre[line.target]
        start, end = x - sizes[line.source].width / 2, x2 - sizes[line.target].width / 2
        corners = [(start, y), (lane, y), (lane, y2), (end, y2)]
        top = y2 - sizes[line.target].height / 2
        label = (x2 + BESIDE + line.size[0] / 2, top - _TAP - 3 - line.size[1] / 2)
        return Route(line, corners, label)

    def _around(self, column: Column, name: str, arc: Line) -> Route:
        """Return the way of a shortcut, to the right of its block."""
        cell = column.cells[name]
        target = cell.boxes[-1]
        names = [box.node for box in cell.boxes]
        first = cell.boxes[names.index(arc.source) + 1 if arc.source in names else 0]
        x, y = self.centre[first.node]
        top = y - first.height / 2 - _TAP
        bottom = self.centre[target.node][1]
        right = x + cell.width / 2 + ARC
        corners = [(x, top), (right, top), (right, bottom), (x + target.width / 2, bottom)]
        label = (right + BESIDE + arc.size[0] / 2, (top + bottom) / 2)
        return Route(arc, corners, label)
