"""The composition of a page: the largest type at which heading, rows and legend fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pydot

from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.slide.emitting import Placed, Point, emitted
from keras_convnets.analysis.plot.slide.filling import Rows
from keras_convnets.analysis.plot.slide.parts import Content
from keras_convnets.analysis.plot.slide.place import laid_out
from keras_convnets.analysis.plot.slide.rows import Row

SMALLEST_TYPE = 9.0  # of the labels as written, in points
_EDGE = 9.0  # of the page, in points
_LARGEST, _BISECTIONS = 1.6, 6  # the largest scale of the figure, and the steps to find it
_AROUND_ROWS = 5.0  # to the heading above and the legend below
_BETWEEN_ENTRIES, _BETWEEN_LINES = 10.0, 2.0
_MOST_SPREAD = 36.0  # more space between rows, where the page has it


class Page(NamedTuple):
    """A figure on a page, and the size of its smallest and its main type there, in points."""

    dot: pydot.Dot
    smallest_type: float
    main_type: float


def composed(name: str, content: Content, look: Look) -> Page:
    """Return the page with the largest type; a stage is broken only if the type is too small."""
    scale, placed = _Composer(content, look, breaks_stages=False).largest()
    if scale < 1.0:
        broken = _Composer(content, look, breaks_stages=True).largest()
        scale, placed = broken if 0.9 * broken[0] > scale else (scale, placed)
    dot = emitted(name, placed, scale, look)
    return Page(dot, scale * SMALLEST_TYPE, scale * look.type_size)


class _Composer:
    """Places content on a page at any scale."""

    def __init__(self, content: Content, look: Look, *, breaks_stages: bool) -> None:
        self._content = content
        self._page = [72 * side - 2 * _EDGE for side in look.page]
        self._rows = Rows(content, breaks_stages=breaks_stages)

    def largest(self) -> tuple[float, Placed]:
        """Return the largest scale at which the figure fits the page, and the figure."""
        least, most = 1.0, _LARGEST
        if not self._fitting(most):
            while not self._fitting(least):
                least, most = least / 2, least
            for _ in range(_BISECTIONS):
                middle = (least + most) / 2
                least, most = (middle, most) if self._fitting(middle) else (least, middle)
            most = least
        placed = self._fitting(most)
        assert placed is not None
        return most, self._spread(placed, most)

    def _fitting(self, scale: float) -> Placed | None:
        """Return the figure at a scale, if it fits the page."""
        width, height = (side / scale for side in self._page)
        placed = self._placed(self._rows.of(width), width)
        fits = placed and placed.width <= width and placed.height <= height
        return placed if fits else None

    def _spread(self, placed: Placed, scale: float) -> Placed:
        """Return the figure with rows of about equal length, spread over the height of the page."""
        width, height = (side / scale for side in self._page)
        count = len(placed.layout.rows)
        rows, narrower = list(placed.layout.rows), width
        while (found := self._rows.of(narrower)) and len(found) <= count:
            rows, narrower = found, 0.98 * narrower
        spread = min(_MOST_SPREAD, (height - placed.height) / (count + 1))
        again = self._placed(rows, width, spread)
        fits = again and again.width <= width and again.height <= height
        return again if again and fits else placed

    def _placed(self, rows: Sequence[Row] | None, width: float, spread: float = 0) -> Placed | None:
        """Return rows with their heading and legend, at most ``width`` wide if possible."""
        if rows is None:
            return None
        content = self._content
        layout = laid_out(rows, content, self._rows.label_width, spread, width)
        legend, end = _flowed(content.sizes, width)
        whole = max(layout.width, content.heading_size[0], end)
        around = _AROUND_ROWS + spread / 2
        top = content.heading_size[1] + around if content.heading else 0.0
        bottom = top + layout.height
        entries = [(x, bottom + around + y) for x, y in legend]
        ends = [y + size[1] / 2 for (_, y), size in zip(entries, content.sizes, strict=True)]
        corner = ((whole - layout.width) / 2, top)
        return Placed(layout, content, entries, corner, whole, max([bottom, *ends]))


def _flowed(sizes: Sequence[Point], width: float) -> tuple[list[Point], float]:
    """Return the centres of the legend's entries in lines of a width, and where the lines end."""
    lines: list[list[Point]] = [[]]
    for size in sizes:
        if lines[-1] and sum(x + _BETWEEN_ENTRIES for x, _ in lines[-1]) + size[0] > width:
            lines.append([])
        lines[-1].append(size)
    found: list[Point] = []
    y = end = 0.0
    for line in filter(None, lines):
        x, height = 0.0, max(down for _, down in line)
        for across, _ in line:
            found.append((x + across / 2, y + height / 2))
            x += across + _BETWEEN_ENTRIES
        y += height + _BETWEEN_LINES
        end = max(end, x - _BETWEEN_ENTRIES)
    return found, end
