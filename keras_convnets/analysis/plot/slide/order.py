"""The order of units along the rows of a page: one path after another, stages in one piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from keras_convnets.analysis.plot.slide.parts import Unit


def path_by_path(units: Sequence[Unit], sources: Mapping[str, AbstractSet[str]]) -> list[Unit]:
    """Return units in an order of computation that follows each path as far as it can.

    Of two networks side by side, the one is then followed by the other, so that the frame of a
    stage holds no unit of another one.
    """
    names = {unit.name for unit in units}
    waiting = list(units)
    found: list[Unit] = []
    while waiting:
        placed = {unit.name for unit in found}
        ready = [unit for unit in waiting if sources[unit.name] & names <= placed]
        unit = _next(ready or waiting[:1], reversed(found), sources)
        waiting.remove(unit)
        found.append(unit)
    return found


def _next(
    ready: Sequence[Unit], latest: Iterable[Unit], sources: Mapping[str, AbstractSet[str]]
) -> Unit:
    """Return the unit to go on with: of the latest unit that leads to one, in its frame if any."""
    for unit in latest:
        after = [other for other in ready if unit.name in sources[other.name]]
        within = [other for other in after if unit.frame and other.frame == unit.frame]
        if after:
            return (within or after)[0]
    return ready[0]
