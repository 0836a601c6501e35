"""The paths of lines on a page: straight within a row, around corners between rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from keras_convnets.analysis.plot.slide.parts import TAP, Line
from keras_convnets.analysis.plot.slide.place import TRACK, Layout

Point = tuple[float, float]

_ARROW = 6.5  # the length of an arrow's head
_CORNER = 7.0  # the radius of a corner
_ENTRY = 11.0  # from a line that comes down to the box or frame that it enters
_ABOVE = 1.0  # from a line to its label
_BESIDE = 5.0


@dataclasses.dataclass(frozen=True)
class Route:
    """The corners of a line, from its start to the tip of its arrow, and its label's centre."""

    corners: Sequence[Point]
    label: Point


def route(layout: Layout, line: Line) -> Route:
    """Return the route of a line."""
    if line.around:
        return _arc(layout, line)
    if line.of == line.to or layout.is_next(line):
        return _straight(layout, line)
    if layout.row_of[line.of] == layout.row_of[line.to]:
        return _over(layout, line)
    return _return(layout, line) if layout.returns(line) else _down(layout, line)


def _straight(layout: Layout, line: Line) -> Route:
    source, target = layout.side(line.source), layout.side(line.target)
    y = layout.centre[line.source][1]
    start, end = source.right, target.left
    one, other = (layout.unit[name] for name in (line.of, line.to))
    left = layout.frames[one.frame].right if one.frame and one.frame != other.frame else start
    right = end - other.lead if one is not other else end
    if other.frame and one.frame != other.frame:
        right = layout.frames[other.frame].left
    middle = (left + right - (_ARROW if right == end else 0.0)) / 2
    return Route([(start, y), (end, y)], (middle, y - line.short_size[1] / 2 - _ABOVE))


def _arc(layout: Layout, line: Line) -> Route:
    """Return the route of a shortcut: from the line before the box, above it, to the merge."""
    unit = layout.unit[line.to]
    assert unit.arc is not None
    over, target = layout.side(unit.boxes[unit.over].node), layout.side(line.target)
    x, y = layout.centre[line.target]
    start, top = over.left - TAP, y - unit.arc_height
    corners = [(start, y), (start, top), (x, top), (x, target.top)]
    return Route(corners, ((start + x) / 2, top - line.size[1] / 2 - _ABOVE))


def _over(layout: Layout, line: Line) -> Route:
    source, target = layout.side(line.source), layout.side(line.target)
    row = layout.row_of[line.to]
    lane = layout.lane[line, row]
    start = source.left + 0.75 * (source.right - source.left)
    start = layout.beside_name(line.of, line.source, start)
    end = layout.centre[line.target][0]
    end = layout.beside_name(line.to, line.target, end)
    corners = [(start, source.top), (start, lane), (end, lane), (end, target.top)]
    return Route(corners, ((start + end) / 2, lane - line.size[1] / 2 - _ABOVE))


def _return(layout: Layout, line: Line) -> Route:
    """Return the route from the end of a row to the start of the next one."""
    source, target = layout.side(line.source), layout.side(line.target)
    one, other = (layout.unit[name] for name in (line.of, line.to))
    first, last = layout.row_of[line.of], layout.row_of[line.to]
    inside = one.frame is not None and one.frame == other.frame
    right, left = source.right, target.left - other.lead
    if not inside and one.frame:
        right = layout.frames[one.frame].right
    if not inside and other.frame:
        left = layout.frames[other.frame].left
    between = [
        box.node for row in layout.rows[first + 1 : last] for u in row.units for box in u.boxes
    ]
    out = max([right, *(layout.side(node).right for node in between)]) + _ENTRY
    into = left - _ENTRY
    y, lane, below = (
        layout.centre[line.source][1],
        layout.lane[line, last],
        layout.centre[line.target][1],
    )
    corners = [(source.right, y), (out, y), (out, lane), (into, lane), (into, below)]
    label = (into + _CORNER + line.size[0] / 2 + 3, lane - line.size[1] / 2 - _ABOVE)
    return Route([*corners, (target.left, below)], label)


def _down(layout: Layout, line: Line) -> Route:
    """Return the route from the bottom of a box to the top of one in a row below."""
    source, target = layout.side(line.source), layout.side(line.target)
    start, gaps = layout.exit(line), layout.gaps(line)
    end = layout.beside_name(line.to, line.target, layout.centre[line.target][0])
    is_above = target.left + _CORNER <= start <= target.right - _CORNER
    if len(gaps) == 1 and is_above and layout.beside_name(line.to, line.target, start) == start:
        # The label is on the right of the last line, so that no other line runs through it.
        side = 1 if layout.exits(line.source)[-1] is line else -1
        beside = start + side * (_BESIDE + line.size[0] / 2)
        label = (beside, layout.lane[line, gaps[0]] - line.size[1] / 2)
        return Route([(start, source.bottom), (start, target.top)], label)
    first, last = (layout.lane[line, gaps[n]] for n in (0, -1))
    corners: list[Point] = [(start, source.bottom), (start, first)]
    if len(gaps) == 2:
        track = _track(layout, line)
        corners += [(track, first), (track, last)]
    corners += [(end, last), (end, target.top)]
    ends = corners[-3][0], end
    width, height = line.size
    if abs(ends[0] - ends[1]) > width + 2 * _CORNER:
        return Route(corners, (sum(ends) / 2, last - height / 2 - _ABOVE))
    beside = max(ends) + _BESIDE + width / 2
    if beside + width / 2 > layout.width:
        beside = min(ends) - _BESIDE - width / 2
    return Route(corners, (beside, last - height / 2 - _ABOVE))


def _track(layout: Layout, line: Line) -> float:
    """Return the x of a line's own track at the right of the page."""
    tracks = [other for other in layout.lines if len(layout.gaps(other)) == 2]
    return layout.width - TRACK * tracks.index(line)


def spline(corners: Sequence[Point]) -> list[Point]:
    """Return a line around corners as Bézier curves, up to the base of its arrow.

    Examples:
        >>> spline([(0.0, 0.0), (30.0, 0.0)])
        [(0.0, 0.0), (0.0, 0.0), (23.5, 0.0), (23.5, 0.0)]
    """
    tip, before = corners[-1], corners[-2]
    ends = [*corners[:-1], _towards(tip, before, _ARROW)]
    points = [ends[0]]
    for one, corner, other in zip(ends, ends[1:], ends[2:], strict=False):
        start = _towards(corner, one, min(_CORNER, math.dist(corner, one) / 2))
        end = _towards(corner, other, min(_CORNER, math.dist(corner, other) / 2))
        points += [points[-1], start, start, corner, corner, end]
    return [*points, points[-1], ends[-1], ends[-1]]


def _towards(point: Point, other: Point, distance: float) -> Point:
    """Return the point at a distance from one point, on the way to another."""
    whole = math.dist(point, other)
    share = min(1.0, distance / whole) if whole else 0.0
    return point[0] + share * (other[0] - point[0]), point[1] + share * (other[1] - point[1])
