"""The rows of a page: those of the main path, and below each the auxiliary heads that it feeds."""

from __future__ import annotations

from collections.abc import Sequence

from keras_convnets.analysis.plot.slide.order import path_by_path
from keras_convnets.analysis.plot.slide.parts import Content, Unit
from keras_convnets.analysis.plot.slide.place import ASIDE, label_widths, margin_of
from keras_convnets.analysis.plot.slide.rows import Filler, Group, Row, groups_of


class Rows:
    """The rows of a figure for any width of the page."""

    def __init__(self, content: Content, *, breaks_stages: bool) -> None:
        self.label_width = label_widths(content.lines)
        self._aside = [unit for unit in content.units if unit.name in content.aside]
        self._sources: dict[str, set[str]] = {unit.name: set() for unit in content.units}
        for line in content.lines:
            if line.of != line.to:
                self._sources[line.to].add(line.of)
        main = [unit for unit in content.units if unit.name not in content.aside]
        main = path_by_path(main, self._sources)
        self._filler = Filler(groups_of(main), self.label_width, breaks_stages=breaks_stages)

    def of(self, width: float) -> list[Row] | None:
        """Return the rows for a width; ``None`` if something is wider."""
        rows = self._filler.rows(width)
        if rows is not None and (len(rows) > 1 or self._aside):
            rows = self._filler.rows(width - 2 * margin_of(rows))
            # A stage that is broken has wider margins.
            rows = rows and self._filler.rows(width - 2 * margin_of(rows))
        return rows and self._with_aside(rows, width)

    def _with_aside(self, rows: Sequence[Row], width: float) -> list[Row] | None:
        found: list[Row] = []
        waiting = list(self._aside)
        placed: set[str] = set()
        for row in rows:
            found.append(row)
            placed |= {unit.name for unit in row.units}
            while ready := [unit for unit in waiting if self._sources[unit.name] <= placed]:
                part = _fitting(ready, width - 2 * margin_of(rows))
                if not part:
                    return None
                found.append(Row(tuple(Group(None, (unit,)) for unit in part), aside=True))
                placed |= {unit.name for unit in part}
                waiting = [unit for unit in waiting if unit not in part]
        return found


def _fitting(units: Sequence[Unit], width: float) -> list[Unit]:
    """Return the first units that fit a row together."""
    found: list[Unit] = []
    for unit in units:
        width -= unit.width + (ASIDE if found else 0.0)
        if width < 0:
            break
        found.append(unit)
    return found
