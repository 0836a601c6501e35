"""What the panels of all figures of curves share: axes by epoch, of losses and accuracies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter

from keras_convnets.analysis.drawing import in_page_colors

_MOST_MARKS = 40  # epochs up to which each one is marked by a dot


def marker_of(values: Sequence[float]) -> str | None:
    """Return the mark of each epoch of a curve; ``None`` if there are too many."""
    return "o" if len(values) <= _MOST_MARKS else None


def in_per_cent(axes: Axes) -> None:
    """Show the values of an axis as per cent, up to 100."""
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(top=min(axes.get_ylim()[1], 1.005))


def logarithmic(axes: Axes, values: Iterable[float]) -> None:
    """Make the axis logarithmic if that suits the values."""
    if any(0 < value < float("inf") for value in values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator())
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")


def dress(axes: Axes, name: str) -> None:
    """Label an axis by epoch, with a grid and in the colours of the page."""
    axes.set(xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    in_page_colors(axes)
