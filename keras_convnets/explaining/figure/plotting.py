"""An explanation as a figure: each image, what the network looked at in it, and the colours."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from keras_convnets import checks, files
from keras_convnets.analysis.drawing import FORMATS, INK, write_themed
from keras_convnets.explaining.explanation import Explanation
from keras_convnets.explaining.figure.look import Scale, overlay, relative, scale_of
from keras_convnets.explaining.figure.page import page
from keras_convnets.explaining.maps.methods import METHODS
from keras_convnets.inference.shares import Share
from keras_convnets.printable import cut_middle, printable

MOST = 24
"""The most images of a figure."""

_TILE, _LINE, _GAP = 2.1, 0.2, 0.1  # inches: an image's longer side, a line of text, and around
_FOOT, _HEAD = 0.75, 0.45  # inches of the scale of colours, and of the title
_ALONE = 1.6  # how much larger an image is that is alone
_NAME, _TITLE = 34, 90  # characters
_CRISP = 64  # pixels up to which they are drawn as squares
_POINTS = 10


def plot(found: Explanation, to_file: str | os.PathLike[str]) -> None:
    """Draw an explanation to a figure or a page, by the suffix of the file.

    Raises:
        ValueError: the format is another one, there are no images or too many, or the file cannot
            be written.
    """
    file = checks.path("to_file", to_file)
    known = (*FORMATS, ".html")
    if file.suffix not in known:
        raise ValueError(
            f"to_file: received {files.shown(file)}; expected a name that ends in "
            f"{', '.join(known)}. Name one."
        )
    if not 0 < len(found) <= MOST:
        raise ValueError(
            f"to_file: received {len(found):,} images for one figure; expected 1 to {MOST}. Draw a "
            f"part of them, found[:{MOST}]."
        )
    if file.suffix == ".html":
        with files.replacing(file) as path:
            path.write_text(page(found), encoding="utf-8")
    else:
        write_themed(figure(found), file)


def figure(found: Explanation) -> Figure:
    """Return the figure of an explanation of a few images."""
    scale, is_fine = scale_of(found), not METHODS[found.method].takes_layer
    shares = relative(found.maps, is_fine)
    columns = min(len(found), 3 if len(found) in (3, 5, 6) or len(found) > 8 else 2)
    lines = math.ceil(len(found) / columns)
    rows, cols = found.maps.shape[1:]
    side = _TILE * (_ALONE if len(found) == 1 else 1) / max(rows, cols)
    width, height = side * cols, side * rows + 2 * _LINE + _GAP
    size = (columns * (2 * width + 3 * _GAP), lines * height + _HEAD + _FOOT)
    made = Figure(figsize=(max(size[0], 4.6), size[1]))
    left = (made.get_figwidth() - size[0]) / 2
    for number in range(len(found)):
        at = left + (number % columns) * (2 * width + 3 * _GAP) + _GAP
        top = size[1] - _HEAD - (number // columns) * height
        pair = [
            _panel(made, at + which * (width + _GAP / 2), top - 2 * _LINE, width, side * rows)
            for which in (0, 1)
        ]
        _draw(pair, found[number], overlay(found.pictures[number], shares[number], scale))
    _title(made, found)
    _colour_bar(made, scale, found)
    return made


def _panel(made: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes at a place in inches, in a thin frame: images may be as white as the paper."""
    of = made.get_size_inches()
    axes = made.add_axes((left / of[0], (top - height) / of[1], width / of[0], height / of[1]))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(color=INK, linewidth=0.5)
    return axes


def _draw(pair: list[Axes], one: Explanation, mixed: np.ndarray) -> None:
    picture = one.pictures[0] if one.pictures.shape[-1] == 3 else one.pictures[0, ..., 0]
    for axes, pixels in zip(pair, (picture, mixed), strict=True):
        is_crisp = max(pixels.shape[:2]) <= _CRISP
        how = "nearest" if is_crisp else "antialiased"
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation=how, aspect="auto")
    name = cut_middle(printable(one.names[0]), _NAME)
    words = f"{name}  {Share(float(one.probability[0]))}"
    _text(pair[0], words, 1.0, size=_POINTS, weight="bold", lift=_LINE * 72 + 2)
    _text(pair[0], cut_middle(printable(one.files[0]), _NAME + 12), 1.0, size=_POINTS - 2, lift=4)


def _text(axes: Axes, words: str, height: float, lift: float, **style: Any) -> None:
    axes.annotate(
        words,
        (0, height),
        (0, lift),
        xycoords="axes fraction",
        textcoords="offset points",
        color=INK,
        parse_math=False,
        va="bottom",
        **style,
    )


def _title(made: Figure, found: Explanation) -> None:
    where = "" if found.layer is None else f" at {found.layer}"
    words = f"{METHODS[found.method].title} of {found.model}{where}"
    words = cut_middle(printable(words), min(_TITLE, int(made.get_figwidth() * 10.5)))
    made.text(
        _GAP / made.get_figwidth(),
        1 - 0.1 / made.get_figheight(),
        words,
        va="top",
        color=INK,
        size=_POINTS + 1,
        parse_math=False,
    )


def _colour_bar(made: Figure, scale: Scale, found: Explanation) -> None:
    width = min(4.2, made.get_figwidth() - 0.8)
    left = (made.get_figwidth() - width) / 2
    axes = _panel(made, left, 0.56, width, 0.13)
    axes.set_axis_on()
    colours = ScalarMappable(Normalize(scale.low, 1), scale.colours)
    bar = made.colorbar(colours, cax=axes, orientation="horizontal")
    ticks = [-1, 0, 1] if scale.is_signed else [0, 1]
    words = [scale.words[0], *(["0"] if scale.is_signed else []), scale.words[1]]
    bar.set_ticks(ticks, labels=words)
    bar.outline.set_visible(False)
    axes.tick_params(colors=INK, labelsize=_POINTS - 1, length=0)
    axes.annotate(
        f"{METHODS[found.method].unit}, each image on its own scale",
        (0.5, 0),
        (0, -25),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        color=INK,
        size=_POINTS - 2,
    )
