"""ROC curves of the classes, each against all others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keras_convnets import checks
from keras_convnets.analysis.drawing import INK, in_page_colors, page_svg, write
from keras_convnets.inference.evaluable import check_class_names
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Area
from keras_convnets.printable import cut, printable
from keras_convnets.training.report.reliability import REMEDY
from keras_convnets.typed import explaining

MOST = 8  # curves, each with a name
_LONGEST = 24  # characters of a name
_COLOURS = (  # visible on light and dark backgrounds
    *("#5b7fa6", "#d1603d", "#4f9d69", "#8a6fb0", "#c99a2e", "#3fa7b5", "#c2618f", "#8c8c8c"),
)


@explaining
def plot_roc(
    evaluation: Evaluation,
    class_names: Sequence[str],
    to_file: str | os.PathLike[str],
    title: str = "",
) -> None:
    """Plot the ROC curves of the classes, each against all others, with the areas under them.

    For two classes of which an image has one, the curve is that of the second one. Of more than
    eight classes, those with the smallest areas are shown. A class has no curve if no image or
    every image has it.

    Args:
        evaluation: the evaluation, from `evaluate`.
        class_names: the class names, by label.
        to_file: the image file to write, in any format that matplotlib supports.
        title: the title above the curves.

    Raises:
        ValueError: the evaluation is no such thing, there is not one name for each class, or the
            file cannot be written.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets.training import Evaluation, plot_roc
        >>> found = Evaluation(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]], "float32"))
        >>> plot_roc(found, ("cat", "dog"), "roc.png", "cats and dogs")
    """
    checks.instance("evaluation", evaluation, Evaluation, REMEDY)
    check_class_names(class_names, evaluation.probabilities.shape[1])
    write(_figure(evaluation, class_names, title), to_file)


def svg(evaluation: Evaluation, class_names: Sequence[str]) -> str:
    """Return the curves as an SVG element for a page."""
    return page_svg(_figure(evaluation, class_names, ""), "roc")


def _figure(evaluation: Evaluation, class_names: Sequence[str], title: str) -> Figure:
    from sklearn.metrics import roc_curve

    figure = Figure(figsize=(5.0, 5.0), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--")
    for label, colour in zip(_shown(evaluation), _COLOURS, strict=False):
        has = evaluation.labels[:, label] if evaluation.has_several else evaluation.labels == label
        false, true, _ = roc_curve(has, evaluation.probabilities[:, label])
        name = cut(printable(class_names[label]), _LONGEST)
        said = f"{name}: {Area(evaluation.roc_auc[label])}"
        axes.plot(false, true, color=colour, label=said.replace("$", r"\$"))
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal")
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    in_page_colors(axes)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if len(axes.lines) > 1:
        legend: dict[str, Any] = {"frameon": False, "loc": "lower right", "labelcolor": INK}
        axes.legend(title="area under the curve", **legend).get_title().set_color(INK)
    axes.set_title(printable(title), color=INK, parse_math=False)
    return figure


def _shown(evaluation: Evaluation) -> list[int]:
    """Return the classes whose curves are drawn: those with the smallest areas."""
    areas = evaluation.roc_auc
    classes = np.flatnonzero(np.isfinite(areas))
    if len(areas) == 2 and not evaluation.has_several:
        return classes[-1:].tolist()
    return sorted(classes[np.argsort(areas[classes], kind="stable")][:MOST].tolist())
