"""The places of units on a page: rows below each other, and the space for lines between them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from keras_convnets.analysis.plot.slide.parts import INNER, Box, Content, Line, Rect, Unit
from keras_convnets.analysis.plot.slide.rows import FRAME, LabelWidth, Row, gap, width_of

NAME = 8.0  # from the left of a frame to its name
HEADER = 12.0  # in a frame, for its name
_MARGIN = 16.0  # at both ends of a row, for the lines that come from another row
_INSIDE = 20.0  # more of it in a frame of several rows
_BETWEEN_ROWS = 8.0
_LANE = 8.0  # the height of a line between rows, without its label
TRACK = 8.0  # between lines at the right of the page
_MOST_STRETCH = 44.0  # of a line within a row, to align the right ends of rows
ASIDE = 24.0  # between units off the main path


@dataclasses.dataclass
class Layout:
    """The places of boxes and frames on a page that is ``width`` times ``height`` points."""

    rows: Sequence[Row]
    lines: Sequence[Line]
    row_of: dict[str, int]
    box: dict[str, Box]
    unit: dict[str, Unit]
    centre: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    frames: dict[str, Rect] = dataclasses.field(default_factory=dict)
    names: dict[str, float] = dataclasses.field(default_factory=dict)  # the widths of frames' names
    lane: dict[tuple[Line, int], float] = dataclasses.field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0

    def side(self, node: str) -> Rect:
        """Return the rectangle of a box."""
        (x, y), box = self.centre[node], self.box[node]
        width, height = box.width / 2, box.height / 2
        return Rect(x - width, y - height, x + width, y + height)

    def beside_name(self, unit: str, node: str, x: float) -> float:
        """Return where a line meets the top of a box, not through the name of its frame."""
        frame, rect = self.unit[unit].frame, self.side(node)
        if frame is None or x > (least := self.frames[frame].left + NAME + self.names[frame] + 4):
            return x
        return min(least, rect.right - NAME)

    def is_next(self, line: Line) -> bool:
        """Return whether a line joins two neighbours of a row."""
        units = [unit.name for unit in self.rows[self.row_of[line.of]].units]
        return (line.of, line.to) in itertools.pairwise(units)

    def returns(self, line: Line) -> bool:
        """Return whether a line joins the end of a row to the start of the next one."""
        source, target = self.row_of[line.of], self.row_of[line.to]
        between = self.rows[source + 1 : target]
        return (
            target > source
            and not self.rows[target].aside
            and all(row.aside for row in between)
            and self.rows[source].units[-1].name == line.of
            and self.rows[target].units[0].name == line.to
        )

    def gaps(self, line: Line) -> list[int]:
        """Return the rows above which a line runs between rows; it needs a lane there."""
        source, target = self.row_of[line.of], self.row_of[line.to]
        if line.of == line.to or line.around or self.is_next(line):
            return []
        if source + 1 >= target or self.returns(line):
            return [target]
        return [source + 1, target]

    def exits(self, node: str) -> list[Line]:
        """Return the lines that leave a box at its bottom, from left to right."""
        return [
            line
            for line in self.lines
            if line.source == node
            and self.gaps(line)
            and not self.returns(line)
            and self.row_of[line.of] != self.row_of[line.to]
        ]

    def exit(self, line: Line) -> float:
        """Return where a line leaves the bottom of its box."""
        lines, rect = self.exits(line.source), self.side(line.source)
        share = (lines.index(line) + 1) / (len(lines) + 1)
        return rect.left + share * (rect.right - rect.left)


def laid_out(
    rows: Sequence[Row],
    content: Content,
    label_width: LabelWidth,
    spread: float,
    most: float,
) -> Layout:
    """Return the layout of rows, with ``spread`` more points between rows, ``most`` points wide."""
    lines = content.lines
    units = {unit.name: unit for row in rows for unit in row.units}
    boxes = {box.node: box for unit in units.values() for box in unit.boxes}
    row_of = {unit.name: number for number, row in enumerate(rows) for unit in row.units}
    layout = Layout(rows, lines, row_of, boxes, units)
    layout.names = {frame: width for frame, (width, _) in content.frames.items()}
    margin = margin_of(rows)
    main = [row for row in rows if not row.aside]
    widest = max(main, key=lambda row: width_of(row.units, label_width))
    least = width_of(widest.units, label_width)
    inner = max(least, min(most - 2 * margin, least + _MOST_STRETCH * (len(widest.units) - 1)))
    for row in main:
        _place_across(layout, row, label_width, margin, inner)
    below = [row for row in rows if row.aside]
    beside = max([inner + margin, *(_width_aside(row) for row in below)])
    for row in below:
        _place_aside(layout, row, beside)
    tracks = sum(len(layout.gaps(line)) == 2 for line in lines)
    layout.width = beside + margin + TRACK * tracks
    _place_down(layout, spread)
    _place_frames(layout)
    return layout


def margin_of(rows: Sequence[Row]) -> float:
    """Return the margin at both ends of the rows of a page."""
    frames = [group.frame for row in rows for group in row.groups if group.frame]
    broken = len(set(frames)) < len(frames)
    returns = sum(not row.aside for row in rows) > 1
    return (_MARGIN if returns else 0.0) + (_INSIDE if broken else 0.0)


def _place_across(
    layout: Layout, row: Row, label_width: LabelWidth, margin: float, inner: float
) -> None:
    """Place the boxes of a row from left to right, at y 0, its lines stretched to the width."""
    units = row.units
    spare = inner - width_of(units, label_width)
    stretch = min(_MOST_STRETCH, spare / max(1, len(units) - 1))
    x = margin + (FRAME if units[0].frame else 0.0)
    for before, unit in zip([None, *units], units, strict=False):
        x += gap(before, unit, label_width) + stretch if before else 0.0
        _place_unit(layout, unit, x)
        x += unit.width


def _place_unit(layout: Layout, unit: Unit, x: float) -> None:
    x += unit.lead
    for box in unit.boxes:
        layout.centre[box.node] = (x + box.width / 2, 0.0)
        x += box.width + INNER


def _width_aside(row: Row) -> float:
    return sum(unit.width for unit in row.units) + ASIDE * (len(row.units) - 1)


def _place_aside(layout: Layout, row: Row, width: float) -> None:
    """Place units off the main path below the boxes that feed them, as far as there is room."""
    wanted: list[tuple[float, Unit]] = []
    for unit in row.units:
        line = next((line for line in layout.lines if line.to == unit.name), None)
        if line is None:
            wanted.append((0.0, unit))
        elif line.source in layout.centre:
            wanted.append((layout.exit(line) - unit.width / 2, unit))
        else:
            before = next((x for x, other in wanted if other.name == line.of), 0.0)
            wanted.append((before + layout.unit[line.of].width + ASIDE, unit))
    wanted.sort(key=lambda pair: pair[0])
    places: list[float] = []
    for x, _ in wanted:
        least = places[-1] + wanted[len(places) - 1][1].width + ASIDE if places else 0.0
        places.append(max(x, least))
    most = width
    for number in reversed(range(len(places))):
        places[number] = min(places[number], most - wanted[number][1].width)
        most = places[number] - ASIDE
    for x, (_, unit) in zip(places, wanted, strict=True):
        _place_unit(layout, unit, x)


def _place_down(layout: Layout, spread: float) -> None:
    """Place the rows below each other, with room for the lines that run between them."""
    y = 0.0
    for number, row in enumerate(layout.rows):
        lanes = [line for line in layout.lines if number in layout.gaps(line)]
        heights = [_LANE + _label_height(layout, line, number) for line in lanes]
        space = (_BETWEEN_ROWS + spread if number else 0.0) + sum(heights)
        lane = y + (space - sum(heights)) / 2
        for line, height in zip(lanes, heights, strict=True):
            lane += height
            layout.lane[line, number] = lane - _LANE / 2
        y += space + _extent(row, up=True)
        for unit in row.units:
            for box in unit.boxes:
                layout.centre[box.node] = (layout.centre[box.node][0], y)
        y += _extent(row, up=False)
    layout.height = y


def _label_height(layout: Layout, line: Line, row: int) -> float:
    return line.size[1] if row == layout.gaps(line)[-1] else 0.0


def _extent(row: Row, *, up: bool) -> float:
    """Return the height of a row above or below its line, with its frames."""
    extents = []
    for unit in row.units:
        frame = FRAME + (HEADER if up else 0.0) if unit.frame else 0.0
        extents.append((unit.ascent if up else unit.descent) + frame)
    return max(extents)


def _place_frames(layout: Layout) -> None:
    """Draw each frame around its units, in one row or in several."""
    parts: dict[str, list[tuple[Row, Sequence[Unit]]]] = {}
    for row in layout.rows:
        for group in row.groups:
            if group.frame:
                parts.setdefault(group.frame, []).append((row, group.units))
    for frame, members in parts.items():
        margin = FRAME if len(members) == 1 else _INSIDE
        ends = [
            layout.side(u.boxes[-1].node).right + u.trail for _, units in members for u in units
        ]
        leads = [layout.side(u.boxes[0].node).left - u.lead for _, units in members for u in units]
        framed = [[u for u in row.units if u.frame] for row, _ in members]
        ys = [layout.centre[units[0].boxes[0].node][1] for _, units in members]
        layout.frames[frame] = Rect(
            min(leads) - margin,
            ys[0] - max(unit.ascent for unit in framed[0]) - FRAME - HEADER,
            max(ends) + margin,
            ys[-1] + max(unit.descent for unit in framed[-1]) + FRAME,
        )


def label_widths(lines: Sequence[Line]) -> LabelWidth:
    """Return the function that tells the width of the label between two units."""
    widths: Mapping[tuple[str, str], float] = {
        (line.of, line.to): line.short_size[0] for line in lines if not line.around and line.label
    }
    return lambda one, other: widths.get((one.name, other.name), 0.0)
