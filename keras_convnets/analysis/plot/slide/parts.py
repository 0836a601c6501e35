"""What a page is composed of. All sizes are in points, and y grows downwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

FRAME_TYPE = 10  # the size of the type of a frame's name
INNER = 18.0  # between the boxes of a unit
TAP = 9.0  # before a box, where its arc leaves the incoming line
_LEAD = 15.0  # before a unit with an arc
_ARC = 8.0  # from a box to the arc above it


@dataclasses.dataclass
class Box:
    """A node of the figure."""

    node: str
    owner: str
    frame: str | None
    style: dict[str, Any]
    width: float = 0.0
    height: float = 0.0


@dataclasses.dataclass(eq=False)
class Line:
    """A line from the node of ``of`` to the node of ``to``; ``around`` marks a shortcut."""

    source: str
    of: str
    target: str
    to: str
    label: str
    style: dict[str, Any]
    around: bool = False
    size: tuple[float, float] = (0.0, 0.0)  # of the label
    short: Sequence[str] = ()  # the lines of the label within a row, where the width counts
    short_size: tuple[float, float] = (0.0, 0.0)


@dataclasses.dataclass(eq=False)
class Unit:
    """The boxes of one block or stage, side by side on a line, with the arc above them."""

    name: str
    boxes: Sequence[Box]
    arc: Line | None = None

    @property
    def frame(self) -> str | None:
        """The frame that the unit is in."""
        return self.boxes[0].frame

    @property
    def over(self) -> int:
        """The position of the first box below the arc."""
        names = [box.node for box in self.boxes]
        assert self.arc is not None
        return names.index(self.arc.source) + 1 if self.arc.source in names else 0

    @property
    def lead(self) -> float:
        """The space before the first box, from which the arc starts."""
        return _LEAD + self._overhang if self.arc is not None and self.over == 0 else 0.0

    @property
    def trail(self) -> float:
        """The space after the last box, for the end of the arc's label."""
        return max(0.0, self._overhang - self.boxes[-1].width / 2)

    @property
    def _overhang(self) -> float:
        """The length of the arc's label beyond each end of the arc."""
        if self.arc is None:
            return 0.0
        span = _width(self.boxes[self.over :]) + TAP - self.boxes[-1].width / 2
        return max(0.0, (self.arc.size[0] - span) / 2)

    @property
    def width(self) -> float:
        """The width, including the space before the first box and after the last one."""
        return self.lead + _width(self.boxes) + self.trail

    @property
    def descent(self) -> float:
        """The height below the line."""
        return max(box.height for box in self.boxes) / 2

    @property
    def ascent(self) -> float:
        """The height above the line."""
        return self.descent if self.arc is None else self.arc_height + self.arc.size[1]

    @property
    def arc_height(self) -> float:
        """The height of the arc above the line, without its label."""
        return max(box.height for box in self.boxes[self.over :]) / 2 + _ARC


def _width(boxes: Sequence[Box]) -> float:
    return sum(box.width for box in boxes) + INNER * (len(boxes) - 1)


@dataclasses.dataclass(frozen=True)
class Rect:
    """A rectangle, given by its sides."""

    left: float
    top: float
    right: float
    bottom: float


@dataclasses.dataclass
class Content:
    """What is on a page, with the sizes of its texts."""

    units: Sequence[Unit]
    lines: Sequence[Line]
    aside: Collection[str]
    heading: str
    entries: Sequence[str]
    frames: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    sizes: Sequence[tuple[float, float]] = ()
    heading_size: tuple[float, float] = (0.0, 0.0)
