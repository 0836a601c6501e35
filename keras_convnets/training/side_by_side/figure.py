"""The learning curves of several runs as one figure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_convnets.analysis.drawing import INK, figure_file, write_themed
from keras_convnets.printable import cut_middle, printable
from keras_convnets.training.report.panels import dress, in_per_cent, logarithmic, marker_of
from keras_convnets.training.side_by_side.groups import Group
from keras_convnets.training.side_by_side.runs import Runs, runs
from keras_convnets.typed import explaining

# As far apart as they can be, also for the colour-blind, on white and on black.
_COLORS = ("#2f7fc1", "#d1603d", "#2f9e6b", "#a261bf", "#b8860b", "#d0588f", "#5f8a99", "#8a7a3d")
_LINES = ("-", "--", ":", "-.")
_PANELS = {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}
_POINTS, _WIDE = 12, 2.0  # of letters and lines, for the last row of a room
_LONGEST = 90  # characters of a line of the legend


@explaining
def plot_runs(
    found: Runs | str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    to_file: str | os.PathLike[str],
) -> None:
    """Plot validation loss and accuracy by epoch, a curve for each run or group of seeds.

    Runs that differ in their seed alone are one curve, their mean, in a band of one standard
    deviation to each side. An SVG follows the light or dark theme of the page that shows it.

    Args:
        found: what `runs` returns, or what it takes: folders.
        to_file: the image file to write: .svg, .png or .pdf.

    Raises:
        ValueError: no run has finished an epoch, the file cannot be written, or `runs` raises it.
    """
    file = figure_file(to_file)
    drawing = _figure((found if isinstance(found, Runs) else runs(found)).groups)
    write_themed(drawing, file)


def _figure(groups: Sequence[Group]) -> Figure:
    begun = [group for group in groups if group.curve("val_accuracy")]
    if not begun:
        raise ValueError(
            "runs: received no run that has finished an epoch; expected one, for its curve. "
            "Train on, or leave out the figure."
        )
    title, labels = _names(begun)
    lines = [line for line in labels if line]
    figure = Figure(figsize=(11, 4.6 + 0.26 * len(lines)), layout="constrained")
    for axes, (column, name) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
        for number, (group, label) in enumerate(zip(begun, labels, strict=True)):
            _draw(axes, group, column, label, number)
        if column == "val_loss":
            logarithmic(axes, [one.mean for group in begun for one in group.curve(column)])
        else:
            in_per_cent(axes)
        dress(axes, name)
        axes.tick_params(labelsize=_POINTS, which="both")
        axes.xaxis.label.set_size(_POINTS)
        axes.yaxis.label.set_size(_POINTS)
    if lines:
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="outside lower left",
            frameon=False,
            labelcolor=INK,
            fontsize=_POINTS,
        )
    figure.suptitle(printable(title), color=INK, size=_POINTS + 2, parse_math=False)
    return figure


def _draw(axes: Axes, group: Group, column: str, label: str, number: int) -> None:
    color = _COLORS[number % len(_COLORS)]
    line = _LINES[number // len(_COLORS) % len(_LINES)]
    spreads = group.curve(column)
    epochs = range(1, len(spreads) + 1)
    means = [spread.mean for spread in spreads]
    deviations = [spread.deviation or 0.0 for spread in spreads]
    if any(deviations):
        low = [mean - deviation for mean, deviation in zip(means, deviations, strict=True)]
        high = [mean + deviation for mean, deviation in zip(means, deviations, strict=True)]
        axes.fill_between(epochs, low, high, color=color, alpha=0.25, linewidth=0)
    style: dict[str, Any] = {
        "color": color,
        "linestyle": line,
        "marker": marker_of(means),
        "markersize": 4,
    }
    axes.plot(epochs, means, linewidth=_WIDE, label=label, **style)


def _names(groups: Sequence[Group]) -> tuple[str, list[str]]:
    """Return the title, of what all share, and a label for each group, of the rest."""
    facts = [(run.network, run.data, run.recipe) for run in (group.runs[0] for group in groups)]
    shared = [len(set(values)) == 1 for values in zip(*facts, strict=True)]
    names = [
        ", ".join(str(value) for value, same in zip(fact, shared, strict=True) if not same)
        for fact in facts
    ]
    if len(set(names)) < len(names):  # they differ in something that has no column
        places = [group.runs[0].folder.name for group in groups]
        pairs = zip(names, places, strict=True)
        names = [f"{name} ({place})" if name else place for name, place in pairs]
    labels = [_label(name, group) for name, group in zip(names, groups, strict=True)]
    network, data, recipe = (
        str(value) if same else None for value, same in zip(facts[0], shared, strict=True)
    )
    title = " on ".join(filter(None, (network, data)))
    return ": ".join(filter(None, (title, recipe))), labels


def _label(name: str, group: Group) -> str:
    seeds = len(group.finished or group.runs)
    spread = f"mean ± standard deviation of {seeds} seeds" if seeds > 1 else ""
    words = ": ".join(filter(None, (name, spread)))
    return cut_middle(printable(words), _LONGEST).replace("$", r"\$")
