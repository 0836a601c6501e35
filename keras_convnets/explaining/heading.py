"""The heading of a figure: its title, and a line below it that explains what is drawn."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from keras_convnets.analysis.drawing import INK
from keras_convnets.printable import cut_middle, printable

WIDTH, HEIGHT = 13.333, 7.5  # inches: a slide
POINTS = 13
LINE, OTHERS = "#2f7fc1", ("#d1603d", "#3f8f5f", "#8a63b8", "#b08a2e")  # on light and dark paper
_TITLE = 0.95  # inches for the heading
_LONGEST = 90  # characters of a title


def slide(width: float = 1.0, height: float = HEIGHT) -> Figure:
    """Return an empty figure of a slide's width, and of a part of its height."""
    return Figure(figsize=(WIDTH * width, min(HEIGHT, height)), layout=ConstrainedLayoutEngine())


def height_for(picture: np.ndarray, width: float) -> float:
    """Return the height of a slide, in inches, for a picture that is ``width`` inches wide."""
    rows, cols = picture.shape[:2]
    return max(3.2, width * rows / cols + _TITLE)


def add_heading(figure: Figure, title: str, below: str) -> None:
    """Write the heading over a figure. Call it last: it makes the room."""
    high = figure.get_size_inches()[1]
    top = 1 - 0.12 / high
    first = figure.text(
        0.008, top, cut_middle(printable(title), _LONGEST), color=INK, size=POINTS + 4,
        weight="bold", va="top", parse_math=False,
    )  # fmt: skip
    second = figure.text(
        0.008, top - 0.36 / high, printable(below), color=INK, size=POINTS, va="top",
        parse_math=False,
    )  # fmt: skip
    for text in (first, second):
        text.set_in_layout(False)
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - 0.78 / high)))
