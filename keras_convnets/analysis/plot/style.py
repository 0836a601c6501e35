"""How figures look: fonts, colours, and numbers in few digits."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

# Verdana is as wide as DejaVu Sans, so an SVG laid out with the one reads well in the other.
FONT = "DejaVu Sans,Verdana,Geneva,sans-serif"
GREY, FRAME, LINE = "#5d6873", "#b9c3cd", "#6b7680"
IDENTITY, PROJECTION = "#1f5fa8", "#b35c00"


class Colour(NamedTuple):
    """The fill and the border of a box."""

    fill: str
    border: str


# In the order of a legend. The pairs stay apart for the colour-blind, and in grey.
COLOURS = {
    "input": Colour("#ffffff", "#8a949e"),
    "convolution": Colour("#dfe9f8", "#5b84b1"),
    "residual block": Colour("#c6dbf3", "#3f6fa5"),
    "concatenating block": Colour("#cfeae0", "#3f8f78"),
    "pooling": Colour("#fdebc8", "#c2903a"),
    "dense": Colour("#f5d9dd", "#b0616c"),
    "normalisation": Colour("#ecebf7", "#8d88bd"),
    "activation": Colour("#f1f4dc", "#98a04f"),
    "merge": Colour("#ffffff", "#3f6fa5"),
    "model": Colour("#e6e9ec", "#5d6873"),
    "other": Colour("#f2f3f4", "#9aa3ab"),
}


def css_class(kind: str) -> str:
    """Return the class that a kind of box has in SVG: ``kind-residual-block``."""
    return f"kind-{kind.replace(' ', '-')}"


def escaped(text: str) -> str:
    """Return text for a label, with a sign for what Graphviz would take for more than text.

    No font has control characters, and a backslash begins a code however it is written.
    """
    return html.escape(re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", text).replace("\\", "∖"))


def quoted(text: str) -> str:
    """Return text as DOT takes it whole: without quotes, ``a:b`` would mean a port of ``a``."""
    return f'"{escaped(text)}"'


def short(number: int) -> str:
    """Return a number in three digits: as many as a figure has room for.

    Examples:
        >>> short(11_238_628), short(3_663_761_408), short(999_999), short(812)
        ('11.2 M', '3.66 G', '1 M', '812')
    """
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if float(f"{number:.3g}") >= size:
            return f"{float(f'{number / size:.3g}'):g} {unit}"
    return str(number)


def grey(text: str, size: int = 9) -> str:
    """Return text for a Graphviz label, small and grey."""
    return f'<FONT POINT-SIZE="{size}" COLOR="{GREY}">{escaped(text)}</FONT>'
