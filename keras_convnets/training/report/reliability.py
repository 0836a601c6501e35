"""The reliability diagram: accuracy against confidence, and the histogram of confidences."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from keras_convnets import checks
from keras_convnets.analysis.drawing import INK, in_page_colors, page_svg, write
from keras_convnets.inference.calibration import Calibration
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Share
from keras_convnets.printable import printable
from keras_convnets.typed import explaining

_RIGHT, _GAP = "#5b7fa6", "#d1603d"  # visible on light and dark backgrounds
REMEDY = "Pass what evaluate(model, ...) returns."


@explaining
def plot_reliability(
    evaluation: Evaluation, to_file: str | os.PathLike[str], title: str = ""
) -> None:
    """Plot accuracy against confidence in 15 bins, the gaps, and the histogram of confidences.

    A calibrated classifier has its bars on the diagonal. The expected calibration error (ECE), the
    mean gap, is in the title. See `Evaluation.calibration` for what is counted.

    Args:
        evaluation: the evaluation, from `evaluate`.
        to_file: the image file to write, in any format that matplotlib supports.
        title: the title, before the ECE.

    Raises:
        ValueError: the evaluation is no such thing, or the file cannot be written.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets.training import Evaluation, plot_reliability
        >>> found = Evaluation(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]], "float32"))
        >>> plot_reliability(found, "reliability.png", "cats and dogs")
    """
    checks.instance("evaluation", evaluation, Evaluation, REMEDY)
    write(_figure(evaluation, title), to_file)


def svg(evaluation: Evaluation) -> str:
    """Return the diagram as an SVG element for a page."""
    return page_svg(_figure(evaluation, ""), "reliability")


def _figure(evaluation: Evaluation, title: str) -> Figure:
    found, several = evaluation.calibration, evaluation.has_several
    figure = Figure(figsize=(5.0, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_bars(above, found, "have the label" if several else "accuracy")
    below.bar(**_bars(found.images / found.images.sum()), color=_RIGHT)
    above.set(ylim=(0, 1), ylabel="images that have the label" if several else "accuracy")
    below.set(xlim=(0, 1), xlabel="probability of the label" if several else "confidence")
    below.set_ylabel("labels" if several else "images")
    below.yaxis.set_major_locator(MaxNLocator(3))
    for axis in (above.yaxis, below.yaxis, below.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    for axes in (above, below):
        in_page_colors(axes)
    figure.align_ylabels()
    error = f"ECE {Share(found.ece)}"
    title = f"{printable(title)}: {error}" if title else error
    above.set_title(title, color=INK, parse_math=False)
    return figure


def _draw_bars(axes: Axes, found: Calibration, what: str) -> None:
    low = np.fmin(found.accuracy, found.confidence)
    gaps = _bars(np.abs(found.accuracy - found.confidence))
    gaps |= {"facecolor": (*to_rgb(_GAP), 0.4), "edgecolor": _GAP, "linewidth": 0.8}
    axes.bar(**_bars(found.accuracy), color=_RIGHT, label=what)
    axes.bar(**gaps, bottom=low[np.isfinite(low)], label="gap")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="calibrated")
    axes.legend(frameon=False, loc="upper left", labelcolor=INK)


def _bars(heights: np.ndarray) -> dict[str, Any]:
    """Return the arguments for a bar in each bin that has predictions."""
    width = 1 / len(heights)
    bins = np.flatnonzero(np.isfinite(heights))
    return {"x": (bins + 0.5) * width, "height": heights[bins], "width": 0.88 * width}
