"""The confusion matrix as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_convnets.analysis.drawing import GRID, INK, page_svg
from keras_convnets.printable import printable

_RIGHT, _WRONG = (38, 102, 176), (204, 87, 20)  # visible on light and dark backgrounds
_ON_FULL, _FULL = "#ffffff", 0.8  # the text colour on cells of at least this strength
_MOST_NUMBERED = 20  # classes up to which each cell shows its number of images
_MOST_NAMED = 100  # classes up to which the axes show their names
_MOST_CELLS = 400  # rows and columns; with more classes, several share a cell
_LONGEST = 16  # characters of a class name on the axes
_CELL = 0.42  # inches per cell side, unless that makes the matrix too small or too large
_SMALLEST, _LARGEST, _LARGEST_OF_MANY = 2.0, 6.6, 9.4  # inches; the last without numbers
_POINTS = 9  # font size
_WIDTH = 0.62  # of a character, relative to its height


def confusion_figure(matrix: np.ndarray, class_names: Sequence[str]) -> str:
    """Return a confusion matrix as an SVG for a page.

    A row is a true class, a column a predicted class. The larger a cell's share of the images in
    its row, the stronger its colour; with up to 20 classes, each cell also shows the number of
    images. With more than 100 classes, the axes show indices instead of names; with more than 400,
    each cell covers several neighbouring classes and shows the largest share among them.

    Args:
        matrix: the number of images of each class (row) by predicted class (column).
        class_names: the class names, in the same order.
    """
    count = len(class_names)
    largest = _LARGEST if count <= _MOST_NUMBERED else _LARGEST_OF_MANY
    side = min(max(_SMALLEST, count * _CELL), largest)
    figure = Figure(figsize=(side, side))
    axes = figure.add_axes((0, 0, 1, 1))
    strength, cell = _strength(matrix), 72 * side / count  # the side of a cell in points
    axes.imshow(
        _pixels(_fewer_cells(strength)),
        extent=(-0.5, count - 0.5, count - 0.5, -0.5),
        interpolation="none",  # one pixel per cell, which the browser enlarges
    )
    if count <= _MOST_NUMBERED:
        _number(axes, matrix, strength, cell)
    _dress(axes, class_names, cell)
    return page_svg(figure, "confusion", bbox_inches="tight", pad_inches=0.02)


def _strength(matrix: np.ndarray) -> np.ndarray:
    """Return the colour strength of each cell, 0 to 1; even a single mistake stays visible."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    least = 0.12 if len(matrix) <= _MOST_NUMBERED else 0.3
    wrong = least + (1 - least) * np.sqrt(share)
    return np.where(matrix > 0, np.where(_diagonal(matrix), 0.1 + 0.9 * share, wrong), 0)


def _diagonal(matrix: np.ndarray) -> np.ndarray:
    return np.eye(len(matrix), dtype=bool)


def _fewer_cells(strength: np.ndarray) -> np.ndarray:
    """Return the strongest cell of each block; blocks are large enough to reduce the matrix."""
    block = -(-len(strength) // _MOST_CELLS)
    padded = np.pad(strength, (0, -len(strength) % block))

    def strongest(cells: np.ndarray) -> np.ndarray:
        cells = cells.reshape(len(cells) // block, block, len(cells) // block, block)
        return cells.max(axis=(1, 3))

    # A block on the diagonal shows its correct predictions, not the mistakes inside it.
    right = strongest(padded * _diagonal(padded))
    wrong = strongest(padded * ~_diagonal(padded))
    return np.where(_diagonal(right), right, wrong)


def _pixels(strength: np.ndarray) -> np.ndarray:
    """Return the colours of the cells; weak ones are transparent."""
    colours = np.where(_diagonal(strength)[..., None], _RIGHT, _WRONG)
    return np.dstack([colours, np.rint(255 * strength)]).astype(np.uint8)


def _number(axes: Axes, matrix: np.ndarray, strength: np.ndarray, cell: float) -> None:
    longest = len(f"{matrix.max():,}")
    points = min(_POINTS, 0.92 * cell / (_WIDTH * longest))
    for row, col in np.argwhere(matrix).tolist():
        axes.text(
            col,
            row,
            f"{matrix[row, col]:,}",
            size=points,
            color=_ON_FULL if strength[row, col] >= _FULL else INK,
            ha="center",
            va="center_baseline",
        )


def _dress(axes: Axes, class_names: Sequence[str], cell: float) -> None:
    """Label the axes, with as many class names as there is room for."""
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted class", color=INK, size=_POINTS)
    axes.set_ylabel("true class", color=INK, size=_POINTS)
    axes.spines[:].set_color(GRID)
    axes.tick_params(length=0, labelcolor=INK, labelsize=_POINTS)
    if len(class_names) > _MOST_NAMED:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(10, integer=True, steps=(1, 2, 5, 10)))
        return
    points = min(_POINTS, 0.9 * cell)
    names = [_short(printable(name)) for name in class_names]
    turned = max(map(len, names)) * _WIDTH * points > cell
    # A class name that contains dollar signs is not a formula.
    style: dict[str, Any] = {"size": points, "parse_math": False}
    axes.set_xticks(range(len(names)), names, rotation=90 if turned else 0, **style)
    axes.set_yticks(range(len(names)), names, **style)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
