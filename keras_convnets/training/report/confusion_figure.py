"""What is taken for what, as a figure: a square for each pair of classes."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.inference.evaluate import Evaluation
from keras_convnets.training.report.markup import Markup, joined, tag

_MOST_NUMBERED = 20  # classes, up to which each square says its number
_WIDTH, _WIDTH_OF_MANY = 640, 900  # of all squares together; the latter without numbers
_LARGEST = 36  # side of a square
_LETTERS = 12
_MOST_SQUARES = 100  # classes, up to which squares are elements that say what they are
_FULL = 0.65  # from here on, letters on a square have the paper's colour
_LONGEST = 16  # letters of a name beside the figure
_RIGHT, _WRONG = (63, 127, 200), (208, 106, 46)  # to be seen on light and on dark


def confusion_figure(evaluation: Evaluation, class_names: Sequence[str]) -> Markup:
    """Return the confusion matrix: a row for each class, a column for what it is taken for.

    A square is the fuller, the larger the share of the row's images in it, and says their number
    and share when the mouse is over it. Of more than 100 classes it is a picture that says nothing.
    """
    if len(class_names) > _MOST_SQUARES:
        return _picture(evaluation)
    return _Drawing(evaluation, class_names).drawn()


class _Drawing:
    def __init__(self, evaluation: Evaluation, class_names: Sequence[str]) -> None:
        self._matrix = evaluation.confusion
        self._images = self._matrix.sum(axis=1)
        self._names = class_names
        self._count = len(class_names)
        width = _WIDTH if self._count <= _MOST_NUMBERED else _WIDTH_OF_MANY
        self._side = min(_LARGEST, width // self._count)
        self._letters = min(_LETTERS, 0.9 * self._side)
        self._short = [_short(name) for name in class_names]
        longest = max(map(len, self._short))
        self._turned = longest * self._letters * 0.62 > self._side
        self._left = 26 + 0.62 * self._letters * longest
        self._top = 26 + (self._left - 26 if self._turned else self._letters + 2)

    def drawn(self) -> Markup:
        width = self._side * self._count
        total_width, total_height = self._left + width + 2, self._top + width + 2
        frame = tag(
            "rect", x=_at(self._left), y=_at(self._top), width=width, height=width, class_="frame"
        )
        return tag(
            "svg",
            frame,
            self._squares(),
            list(self._numbers()),
            list(self._labels()),
            _text("taken for", self._left + width / 2, 12, "middle", class_="axis"),
            _text("class", 12, self._top + width / 2, "middle", turned=True, class_="axis"),
            viewBox=f"0 0 {_at(total_width)} {_at(total_height)}",
            width=_at(total_width),
            font_size=_LETTERS,
            class_="confusion",
            role="img",
            aria_label="confusion matrix",
        )

    def _squares(self) -> Markup:
        """Return the squares, each of side 1 in a system of their own: they are many."""
        places = np.argwhere(self._matrix).tolist()
        place = f"translate({_at(self._left)} {_at(self._top)}) scale({self._side})"
        groups = {
            "right": [self._square(row, col) for row, col in places if row == col],
            "wrong": [self._square(row, col) for row, col in places if row != col],
        }
        return joined(
            tag("g", squares, class_=kind, transform=place) for kind, squares in groups.items()
        )

    def _square(self, row: int, col: int) -> Markup:
        title = tag("title", self._says(row, col))
        full = _at(self._fullness(row, col))
        return tag("rect", title, x=col, y=row, width=1, height=1, fill_opacity=full)

    def _numbers(self) -> Iterator[Markup]:
        if self._count > _MOST_NUMBERED:
            return
        for row, col in np.argwhere(self._matrix).tolist():
            x, y = self._left + (col + 0.5) * self._side, self._top + (row + 0.5) * self._side + 4
            on = "number on" if self._fullness(row, col) > _FULL else "number"
            yield _text(f"{self._matrix[row, col]:,}", x, y, "middle", class_=on)

    def _fullness(self, row: int, col: int) -> float:
        """Return how full a square is; a single mistake is to be seen, too."""
        share = self._matrix[row, col] / self._images[row]
        return 0.1 + 0.9 * share if row == col else 0.12 + 0.88 * math.sqrt(share)

    def _says(self, row: int, col: int) -> str:
        count, images = self._matrix[row, col], self._images[row]
        of = f"{count:,} of {images:,} ({count / images:.1%})"
        name, other = self._names[row], self._names[col]
        return f"{name}: {of} right" if row == col else f"{name} for {other}: {of}"

    def _labels(self) -> Iterator[Markup]:
        for number, short in enumerate(self._short):
            full = self._names[number] if short != self._names[number] else None
            place = (number + 0.5) * self._side
            size = _at(self._letters)
            low = self._letters * 0.36  # from the middle of letters to the line that they stand on
            yield _text(
                short, self._left - 4, self._top + place + low, "end", full=full, font_size=size
            )
            if self._turned:
                x, y = self._left + place + low, self._top - 4
                yield _text(short, x, y, "start", turned=True, full=full, font_size=size)
            else:
                yield _text(
                    short, self._left + place, self._top - 5, "middle", full=full, font_size=size
                )


def _text(
    text: str,
    x: float,
    y: float,
    anchor: str,
    *,
    turned: bool = False,
    full: str | None = None,
    **attributes: object,
) -> Markup:
    turn = f"rotate(-90 {_at(x)} {_at(y)})" if turned else None
    title = None if full is None else tag("title", full)
    place = {"x": _at(x), "y": _at(y), "text_anchor": anchor, "transform": turn}
    return tag("text", title, text, **place, **attributes)


def _picture(evaluation: Evaluation) -> Markup:
    """Return the matrix of very many classes, a pixel a pair."""
    shares = evaluation.confusion / np.maximum(evaluation.confusion.sum(axis=1, keepdims=True), 1)
    count = len(shares)
    pixels = np.zeros((count, count, 4), np.uint8)
    pixels[..., :3] = np.where(np.eye(count, dtype=bool)[..., None], _RIGHT, _WRONG)
    full = np.where(np.eye(count, dtype=bool), shares, np.sqrt(shares))
    pixels[..., 3] = np.where(shares > 0, 110 + 145 * full, 0)
    encoded = base64.b64encode(tf.io.encode_png(pixels).numpy()).decode("ascii")
    return tag(
        "img",
        src=f"data:image/png;base64,{encoded}",
        class_="confusion",
        alt="confusion matrix: a row for each class, a column for what its images are taken for",
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _at(number: float) -> str:
    return f"{number:.3g}" if number < 1 else f"{number:.1f}".removesuffix(".0")
