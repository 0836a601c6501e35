"""Matplotlib figures as files, and as elements of a page in the page's colours and font."""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_convnets import checks, files

FORMATS = (".svg", ".png", ".pdf")
INK, GRID = "#1d242c", "#e3e7eb"  # text, and lines in the background
_PAPER = "#ffffff"
_DARK = {INK: "#e6eaee", GRID: "#39424c", _PAPER: "#14181d"}


@contextlib.contextmanager
def any_letters() -> Iterator[None]:
    """Suppress warnings about glyphs that Matplotlib's font lacks, for example in class names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def write(figure: Figure, to_file: str | os.PathLike[str]) -> None:
    """Write a figure to a file, in the format that its suffix names.

    Raises:
        ValueError: the file cannot be written, or matplotlib does not know the format.
    """
    with files.replacing(to_file) as path, any_letters():
        figure.savefig(path, dpi=150)


def write_themed(figure: Figure, to_file: str | os.PathLike[str]) -> None:
    """Write a figure on paper; an SVG is dark where the page that shows it is.

    The SVG of a figure is the same each time.

    Raises:
        ValueError: the file cannot be written, or matplotlib does not know the format.
    """
    name = Path(to_file).stem
    with files.replacing(to_file) as path, any_letters(), mpl.rc_context({"svg.hashsalt": name}):
        is_svg = path.suffix == ".svg"
        unsaid = {"Date": None} if is_svg else {}
        figure.savefig(path, dpi=150, facecolor=_PAPER, metadata=unsaid)
        if is_svg:
            path.write_text(_themed(path.read_text(encoding="utf-8")), encoding="utf-8")


def figure_file(to_file: str | os.PathLike[str]) -> Path:
    """Return the path of a figure whose format is known.

    Raises:
        ValueError: it is of another format.
    """
    file = checks.path("to_file", to_file)
    if file.suffix not in FORMATS:
        raise ValueError(
            f"to_file: received {files.shown(file)}; expected a name that ends in "
            f"{', '.join(FORMATS)}. Name one."
        )
    return file


def in_page_colors(axes: Axes) -> None:
    """Draw axes in the page's colours, with a grid and without a box."""
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK, which="both")
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def page_svg(figure: Figure, name: str, **options: Any) -> str:
    """Return a figure as a reproducible ``<svg>`` element.

    `INK` and `GRID` become the page's ``--ink`` and ``--line``, which differ between light and dark
    themes; text stays text, in the page's font.

    Args:
        figure: the figure; its background is left out.
        name: the name of the figure, which keeps ids unique on the page.
        **options: options of ``savefig``.
    """
    out = io.StringIO()
    unsaid = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), any_letters():
        figure.savefig(out, format="svg", transparent=True, metadata=unsaid, **options)
    drawn = out.getvalue()
    # A <style> element here would apply to the whole page.
    drawn = re.sub("<style.*?</style>", "", drawn[drawn.index("<svg") :])
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', drawn))
    # Change tags only; the text of the figure stays as it is.
    return re.sub("<[^<>]+>", lambda found: _dressed(found[0], used), drawn)


def _dressed(tag: str, used_ids: set[str]) -> str:
    tag = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used_ids else "", tag)
    tag = re.sub(r"font-family: [^;\"]*(; )?", "", tag)
    return tag.replace(INK, "var(--ink)").replace(GRID, "var(--line)")


def _themed(drawn: str) -> str:
    """Return an SVG that is dark where the page that shows it is."""
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark} !important}}'
        for light, dark in _DARK.items()
        for what in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    start = drawn.index(">", drawn.index("<svg")) + 1
    return drawn[:start] + style + drawn[start:]
