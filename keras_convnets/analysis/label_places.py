"""Places of labels beside the points of a chart, so that no two overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Point = tuple[float, float]

_GAP = 2.0  # between a label and what is beside it
_DIRECTIONS = 24
_STEP, _STEPS = 5.0, 24  # how much farther from its point a label is tried each time
_CROSSING = 60.0  # how much farther a label may be instead of a line through another one
_CROSSING_POINT = 30.0  # or through another point
_LED = 9.0  # from a point to a label that a line leads to


class Box(NamedTuple):
    """A rectangle, given by its sides."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Return whether two rectangles overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    def holds(self, other: Box) -> bool:
        """Return whether a rectangle is inside this one."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.bottom <= other.bottom and other.top <= self.top

    @property
    def centre(self) -> Point:
        """The middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def wider(self, by: float) -> Box:
        """Return the rectangle with something around it."""
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)

    def nearest(self, point: Point) -> Point:
        """Return the point of the rectangle that is nearest to another one."""
        x, y = point
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)


class Label(NamedTuple):
    """The place of a label, and whether a line must lead to it from its point."""

    box: Box
    is_led: bool


def label_places(
    points: Sequence[Point], radii: Sequence[float], sizes: Sequence[Point], area: Box
) -> list[Label]:
    """Return the places of labels: each near its point, on no point and on no other label.

    Points in a crowd are labelled first, as they have the fewest places left.

    Args:
        points: the points, in any unit of length.
        radii: the radius of each.
        sizes: the width and height of each label.
        area: where the labels must be.

    Raises:
        ValueError: there is no room for one.
    """
    taken = [Box(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    found: dict[int, Label] = {}
    for number in sorted(range(len(points)), key=lambda n: -_crowd(points, n)):
        others = [label.box for label in found.values()]
        best: tuple[float, Label] | None = None
        for distance, box in _candidates(points[number], radii[number], sizes[number]):
            if best is not None and distance >= best[0]:
                break
            wide = box.wider(_GAP)
            if not area.holds(box) or any(wide.meets(other) for other in (*taken, *others)):
                continue
            ends = points[number], box.nearest(points[number])
            cost = distance + _CROSSING * sum(_crosses(*ends, other) for other in others)
            passed = [other for n, other in enumerate(taken) if n != number]
            if distance > _LED:
                cost += _CROSSING_POINT * sum(_crosses(*ends, other) for other in passed)
            if best is None or cost < best[0]:
                best = cost, Label(box, distance > _LED)
        if best is None:
            raise ValueError(
                f"there is no room for the labels of {len(points)} points; expected fewer."
            )
        found[number] = best[1]
    return [found[number] for number in range(len(points))]


def _crowd(points: Sequence[Point], number: int) -> float:
    """Return how close the other points are."""
    return sum(
        1 / (1 + math.dist(points[number], other)) ** 2
        for n, other in enumerate(points)
        if n != number
    )


def _candidates(point: Point, radius: float, size: Point) -> Iterator[tuple[float, Box]]:
    """Yield places of a label with their distance from a point, the nearest ones first."""
    (x, y), (width, height) = point, size
    for step in range(_STEPS):
        away = radius + _GAP + 1 + step * _STEP
        for turn in range(_DIRECTIONS):
            angle = 2 * math.pi * turn / _DIRECTIONS
            dx, dy = math.cos(angle), math.sin(angle)
            # The label's middle, so that its edge is as far away as is wanted.
            middle = x + away * dx + width / 2 * dx, y + away * dy + height / 2 * dy
            left, bottom = middle[0] - width / 2, middle[1] - height / 2
            yield step * _STEP, Box(left, bottom, left + width, bottom + height)


def _crosses(start: Point, end: Point, box: Box) -> bool:
    """Return whether a straight line runs through a rectangle."""
    steps = max(2, int(math.dist(start, end) / 2))
    for step in range(steps + 1):
        share = step / steps
        x = start[0] + share * (end[0] - start[0])
        y = start[1] + share * (end[1] - start[1])
        if box.left < x < box.right and box.bottom < y < box.top:
            return True
    return False
