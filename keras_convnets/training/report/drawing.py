"""Matplotlib figures as elements of a page, in the page's colours and font."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, GRID = "#1d242c", "#e3e7eb"  # text, and lines in the background


@contextlib.contextmanager
def any_letters() -> Iterator[None]:
    """Suppress warnings about glyphs that Matplotlib's font lacks, for example in class names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


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
