"""A benchmark as a figure: a bar for each engine."""

from __future__ import annotations

import os
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from keras_convnets.analysis.drawing import INK, figure_file, in_page_colors, write_themed
from keras_convnets.analysis.tables import sizes
from keras_convnets.printable import cut_middle, printable
from keras_convnets.shipping.benchmark.result import (
    Benchmark,
    Measurement,
    milliseconds,
    three_digits,
)
from keras_convnets.typed import typed

_FIRST, _OTHER, _FASTEST = "#9aa7b3", "#7fb0d8", "#2f7fc1"
_POINTS = 12
_ROW, _MARGIN = 0.4, 1.3  # inches of an engine, and around them
_LONGEST, _LONGEST_TITLE = 60, 85  # characters of a name, and of the title
_GAP = 0.08  # between panels, of the height of one
_ROOM = 0.42  # of the longest bar, for the words after it
_MOST_IN_BARS = 25  # times the fastest


@typed
def plot_benchmark(found: Benchmark, to_file: str | os.PathLike[str]) -> None:
    """Draw the times of a benchmark: a panel for each model and number of images.

    A bar ends at the median of an engine, and the line from there at the 95th percentile. The
    fastest is the darkest; the first, with which the others are compared, is grey. An SVG follows
    the light or dark theme of the page that shows it.

    Args:
        found: what [`benchmark`][keras_convnets.shipping.benchmark.benchmark.benchmark] returns.
        to_file: the image file to write: .svg, .png or .pdf.

    Raises:
        ValueError: the format is another one, or the file cannot be written.
    """
    file = figure_file(to_file)
    write_themed(_figure(found), file)


def _figure(found: Benchmark) -> Figure:
    panels: dict[tuple[int, tuple[int, int, int]], list[Measurement]] = {}
    for row in found.measurements:
        panels.setdefault((row.batch, row.input_shape), []).append(row)
    heights = [_ROW * len(rows) + _MARGIN for rows in panels.values()]
    figure = Figure(figsize=(10, sum(heights) + 0.3), layout=ConstrainedLayoutEngine(hspace=_GAP))
    drawn = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    names = dict.fromkeys(row.model for row in found.measurements)
    for axes, ((batch, shape), rows) in zip(drawn, panels.items(), strict=True):
        _draw(axes, rows, len(names) > 1)
        images = "1 image" if batch == 1 else f"{batch:,} images"
        axes.set_title(f"{images} of {sizes(shape)}", loc="left", color=INK, size=_POINTS)
    threads = found.machine.threads
    on = f"{threads} thread{'s' if threads > 1 else ''} of {found.machine.cpu}"
    title = f"{next(iter(names))} on {on}" if len(names) == 1 else on
    title = cut_middle(printable(title), _LONGEST_TITLE)
    text = figure.suptitle(title, x=0.01, ha="left", color=INK, size=_POINTS + 2, weight="bold")
    text.set_parse_math(False)
    return figure


def _draw(axes: Axes, rows: Sequence[Measurement], named: bool) -> None:
    fastest = min(rows, key=lambda row: row.median)
    longest = 1000 * max(row.p95 for row in rows)
    is_wide = max(row.median for row in rows) > _MOST_IN_BARS * fastest.median
    for place, row in enumerate(rows):
        color = _FASTEST if row is fastest else _FIRST if place == 0 else _OTHER
        if is_wide:  # bars of a logarithmic axis have no honest length
            axes.plot(1000 * row.median, place, "o", color=color, markersize=11)
        else:
            axes.barh(place, 1000 * row.median, color=color, height=0.62)
        axes.plot(
            [1000 * row.median, 1000 * row.p95],
            [place, place],
            color=INK,
            linewidth=1.4,
            marker="|",
            markersize=7,
            markevery=[1],
        )
        words = f"  {milliseconds(row.median)} ms, {three_digits(row.images_per_second)} images/s"
        weight, size = "bold" if row is fastest else "normal", _POINTS - 1
        axes.text(1000 * row.p95, place, words, va="center", color=INK, size=size, weight=weight)
    labels = [f"{row.model}: {row.title}" if named else row.title for row in rows]
    labels = [cut_middle(printable(one), _LONGEST) for one in labels]
    axes.set_yticks(range(len(rows)), labels, parse_math=False)
    scale = ", on a logarithmic scale" if is_wide else ""
    axes.set_xlabel(f"milliseconds: the median, and the 95th percentile{scale}", size=_POINTS - 1)
    if is_wide:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,g}")
        shortest = 1000 * fastest.median / 2
        axes.set_xlim(shortest, longest * (longest / shortest) ** _ROOM)
        axes.set_ylim(-0.6, len(rows) - 0.4)
    else:
        axes.set_xlim(0, longest * (1 + _ROOM))
    axes.invert_yaxis()
    axes.tick_params(labelsize=_POINTS, length=0, which="both")
    in_page_colors(axes)
    axes.grid(visible=False, axis="y")
