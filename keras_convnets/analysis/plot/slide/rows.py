"""Breaking a sequence of units into rows. A stage is kept in one row if it fits in one."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

from keras_convnets.analysis.plot.slide.parts import Unit

FRAME = 7.0  # from a frame to what is inside it
_LABELLED = 14.0  # around a line's label, for the arrow
_LEAST = 22.0  # the shortest line

LabelWidth = Callable[[Unit, Unit], float]


@dataclasses.dataclass(frozen=True)
class Group:
    """Consecutive units in one frame, or one unit without a frame."""

    frame: str | None
    units: tuple[Unit, ...]


@dataclasses.dataclass(frozen=True)
class Row:
    """Groups side by side. ``aside`` marks a row of units off the main path."""

    groups: tuple[Group, ...]
    aside: bool = False

    @property
    def units(self) -> list[Unit]:
        """The units from left to right."""
        return [unit for group in self.groups for unit in group.units]


def groups_of(units: Sequence[Unit]) -> list[Group]:
    """Return the groups of the units of the main path, in order."""
    found: list[Group] = []
    for frame, run in itertools.groupby(units, key=lambda unit: unit.frame):
        members = tuple(run)
        found += [Group(frame, members)] if frame else [Group(None, (unit,)) for unit in members]
    return found


def gap(one: Unit, other: Unit, label_width: LabelWidth) -> float:
    """Return the least length of the line between two units of a row, with its label."""
    width = label_width(one, other)
    framed = FRAME * (bool(one.frame) + bool(other.frame)) if one.frame != other.frame else 0.0
    return framed + (width + _LABELLED if width else _LEAST)


def width_of(units: Sequence[Unit], label_width: LabelWidth) -> float:
    """Return the width of units side by side, with the frames at both ends."""
    ends = FRAME * (bool(units[0].frame) + bool(units[-1].frame))
    gaps = sum(gap(one, other, label_width) for one, other in itertools.pairwise(units))
    return ends + sum(unit.width for unit in units) + gaps


class Filler:
    """Fills rows with the groups of the main path, each row in turn.

    If it ``breaks_stages``, a group that is too wide for a row has several rows to itself.
    """

    def __init__(
        self, groups: Sequence[Group], label_width: LabelWidth, *, breaks_stages: bool
    ) -> None:
        self._groups = groups
        self._label_width = label_width
        self._breaks_stages = breaks_stages
        self._widths = [width_of(group.units, label_width) for group in groups]
        self._between = [
            width_of([one.units[-1], other.units[0]], label_width)
            - width_of(one.units[-1:], label_width)
            - width_of(other.units[:1], label_width)
            for one, other in itertools.pairwise(groups)
        ]

    def rows(self, limit: float) -> list[Row] | None:
        """Return the rows that a width allows; ``None`` if a group is too wide for it."""
        rows: list[Row] = []
        current: list[Group] = []
        filled = 0.0
        for group, width, between in zip(
            self._groups, self._widths, [0.0, *self._between], strict=True
        ):
            if current and filled + between + width <= limit:
                current.append(group)
                filled += between + width
                continue
            rows += [Row(tuple(current))] if current else []
            current, filled = [group], width
            if width > limit:
                parts = self._broken(group, limit)
                if not parts:
                    return None
                rows += [Row((part,)) for part in parts]
                current = []
        return rows + ([Row(tuple(current))] if current else [])

    def _broken(self, group: Group, limit: float) -> list[Group]:
        """Return the parts of a group that is too wide, about equally long; none if impossible."""
        for count in range(2, len(group.units) + 1) if self._breaks_stages else ():
            ends = [round(len(group.units) * n / count) for n in range(count + 1)]
            parts = [group.units[start:end] for start, end in itertools.pairwise(ends)]
            if all(width_of(part, self._label_width) <= limit for part in parts):
                return [Group(group.frame, part) for part in parts]
        return []
