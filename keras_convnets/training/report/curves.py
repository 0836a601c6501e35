"""Learning curves as a figure."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence

import keras
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_convnets.analysis.drawing import INK, page_svg, write
from keras_convnets.printable import printable
from keras_convnets.training.report.fitted import columns
from keras_convnets.training.report.panels import dress, in_per_cent, logarithmic, marker_of
from keras_convnets.training.run_folder import History
from keras_convnets.typed import explaining

_TRAINING, _VALIDATION, _RATE = "#5b7fa6", "#d1603d", "#8a6fb0"


@explaining
def plot_curves(
    history: Mapping[str, Sequence[float]] | keras.callbacks.History,
    to_file: str | os.PathLike[str],
    title: str = "",
) -> None:
    """Plot loss, accuracy and learning rate by epoch, for training and validation.

    Anything missing from the history is left out: a column, epochs before a run was resumed, or
    values that are not finite.

    Args:
        history: what ``model.fit`` returns, or lists under ``loss``, ``accuracy``, ``val_loss``,
            ``val_accuracy`` and ``learning_rate``; optionally ``epoch``, the epoch of each value,
            by default counted from 1. Keras' other names of an accuracy, such as
            ``sparse_categorical_accuracy``, are known.
        to_file: the image file to write, in any format that matplotlib supports.
        title: the title above the panels.

    Raises:
        ValueError: the history is no such thing, or the file cannot be written.

    Examples:
        >>> from keras_convnets.training import plot_curves
        >>> history = {"loss": [2.1, 0.9], "accuracy": [0.3, 0.8], "val_loss": [1.8, 1.0]}
        >>> plot_curves(history, "curves.png", "resnet_18 on digits")
    """
    write(_figure(columns(history), title), to_file)


def svg(history: History) -> str:
    """Return the curves as an SVG element for a page."""
    return page_svg(_figure(history, ""), "curves")


def _figure(history: History, title: str) -> Figure:
    rates = _column(history, "learning_rate")
    panels = ["loss", "accuracy"] + ["learning rate"] * any(rates)
    figure = Figure(figsize=(4.2 * len(panels), 3.6), layout="constrained")
    places = dict(zip(panels, figure.subplots(1, len(panels)), strict=True))
    for metric in ("loss", "accuracy"):
        _line(places[metric], history, metric, "training", _TRAINING)
        _line(places[metric], history, f"val_{metric}", "validation", _VALIDATION)
    logarithmic(places["loss"], _column(history, "loss") + _column(history, "val_loss"))
    in_per_cent(places["accuracy"])
    if places["accuracy"].lines:
        places["accuracy"].legend(frameon=False, loc="lower right", labelcolor=INK)
    if any(rates):
        _line(places["learning rate"], history, "learning_rate", "learning rate", _RATE)
        if _goes_in_steps(rates):
            logarithmic(places["learning rate"], rates)
    for name, axes in places.items():
        dress(axes, name)
    figure.suptitle(printable(title), color=INK, parse_math=False)
    return figure


def _line(axes: Axes, history: History, key: str, name: str, color: str) -> None:
    values = _column(history, key)
    if not values:
        return
    marker = marker_of(values)
    epochs = _epochs(history, len(values))
    axes.plot(epochs, values, color=color, label=name, marker=marker, markersize=3)


def _epochs(history: History, count: int) -> Sequence[float]:
    given = history.get("epoch", ())
    return given[:count] if len(given) >= count else range(1, count + 1)


def _column(history: History, key: str) -> list[float]:
    """Return the values to plot; missing values become gaps in the line."""
    found = history.get(key, ())
    return [float("nan") if value is None else float(value) for value in found]


def _goes_in_steps(rates: Sequence[float]) -> bool:
    """Return whether the learning rate changes in steps rather than in every epoch."""
    unchanged = sum(one == other for one, other in itertools.pairwise(rates))
    return 2 * unchanged >= len(rates) - 1
