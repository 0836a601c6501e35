"""Learning curves as a figure."""

from __future__ import annotations

import os

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from keras_convnets import files
from keras_convnets.training.run_folder import History

_TRAINING, _TEST = "#5b7fa6", "#d1603d"


def plot_curves(history: History, to_file: str | os.PathLike[str], title: str = "") -> None:
    """Draw loss and accuracy, training and test, epoch by epoch.

    Args:
        history: the lists under ``loss``, ``accuracy``, ``val_loss`` and ``val_accuracy``, as
            ``model.fit(...).history`` holds them.
        to_file: the picture to write, in any format that matplotlib knows.
        title: stands above the two panels.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    _panel(loss, history, "loss", "loss, with weight decay")
    loss.set_yscale("log")
    _panel(accuracy, history, "accuracy", "accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    accuracy.legend(frameon=False, loc="lower right")
    figure.suptitle(title)
    with files.replacing(to_file) as path:
        figure.savefig(path, dpi=150)


def _panel(axes: Axes, history: History, metric: str, label: str) -> None:
    for key, name, color in ((metric, "training", _TRAINING), (f"val_{metric}", "test", _TEST)):
        values = history.get(key, [])
        epochs = range(1, len(values) + 1)
        axes.plot(epochs, values, color=color, label=name, marker="o", markersize=3)
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(color="#e3e7eb")
    axes.spines[["top", "right"]].set_visible(False)
