"""The figure of the deletion of blocks: a bar for each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keras_convnets.analysis.drawing import in_page_colors
from keras_convnets.explaining.heading import LINE, OTHERS, POINTS, add_heading, slide
from keras_convnets.printable import printable

_MOST_NAMES = 60  # of blocks, below the bars
_ALTERNATE = "#7fb0d8"


def figure(model: str, whole: Any, deletions: Sequence[Any]) -> Figure:
    """Return the figure of what a network is worth without each block."""
    drawn = slide(height=6.2)
    above, below = drawn.subplots(2, 1, sharex=True)
    _draw(above, [one.accuracy for one in deletions], whole.accuracy, deletions)
    above.set(ylabel="accuracy", ylim=(0, 1.04))
    above.yaxis.set_major_formatter(PercentFormatter(1.0))
    _draw(below, [one.loss for one in deletions], whole.loss, deletions)
    below.set(ylabel="loss")
    size = min(POINTS - 1, 560 / max(len(deletions), 1) ** 0.9)
    if len(deletions) <= _MOST_NAMES:
        names = [printable(str(one.block)) for one in deletions]
        places = range(len(deletions))
        turned = {"rotation": 90} if len(deletions) > 12 else {}
        below.set_xticks(places, names, parse_math=False, size=size, **turned)
    else:
        below.set_xlabel("residual block", size=POINTS)
    for axes in (above, below):
        in_page_colors(axes)
        axes.grid(visible=False, axis="x")
        axes.tick_params(length=0, labelsize=POINTS - 1)
        axes.yaxis.label.set_size(POINTS)
        axes.set_xlim(-0.7, len(deletions) - 0.3)
    below.tick_params(axis="x", labelsize=size)
    add_heading(drawn, f"{model} without one of its residual blocks", _words(whole, deletions))
    return drawn


def _draw(axes: Axes, values: Sequence[float], whole: float, deletions: Sequence[Any]) -> None:
    stages = list(dict.fromkeys(one.stage for one in deletions))
    colors = [(LINE, _ALTERNATE)[stages.index(one.stage) % 2] for one in deletions]
    axes.bar(range(len(values)), values, color=colors, width=0.78)
    axes.axhline(whole, color=OTHERS[0], linewidth=2)
    axes.annotate(
        "whole network", (1, whole), (-4, 4), xycoords=axes.get_yaxis_transform(),
        textcoords="offset points", ha="right", color=OTHERS[0], size=POINTS - 1,
        bbox={"facecolor": "none", "edgecolor": "none"},
    )  # fmt: skip


def _words(whole: Any, deletions: Sequence[Any]) -> str:
    worst = min(deletions, key=lambda one: one.accuracy)
    median = float(np.median([one.accuracy for one in deletions]))
    return (
        f"accuracy {whole.accuracy:.1%} with all; {median:.1%} in the median without one; "
        f"{worst.accuracy:.1%} without {worst.block}. The shades are stages"
    )
