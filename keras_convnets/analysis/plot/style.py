"""The style of figures: fonts, colours and number formats."""

from __future__ import annotations

import html
from typing import NamedTuple

from keras_convnets.printable import printable

# Verdana is as wide as DejaVu Sans, so an SVG laid out for one font also fits the other.
FONT = "DejaVu Sans,Verdana,Geneva,sans-serif"
GREY, FRAME, LINE = "#5d6873", "#b9c3cd", "#6b7680"
IDENTITY, PROJECTION = "#1f5fa8", "#b35c00"
# On a transparent figure, text and lines outside the boxes are read on white and on black alike.
ON_ANY_GROUND = "#72777f"
# What differs between models side by side: the band behind it, and borders and text.
DIFFERENT, DIFFERENT_INK = "#fff0c7", "#9a5b00"


class Colour(NamedTuple):
    """The fill and border colours of a box."""

    fill: str
    border: str


# In the order of the legend. Colours remain distinct with colour blindness and in greyscale.
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
    """Return the CSS class of a kind of box in SVG: ``kind-residual-block``."""
    return f"kind-{kind.replace(' ', '-')}"


def escaped(text: str) -> str:
    """Return text for a label: printable, and with another backslash, since Graphviz's escapes."""
    return html.escape(printable(text).replace("\\", "∖"))


def quoted(text: str) -> str:
    """Return text quoted for DOT: without quotes, ``a:b`` would mean a port of ``a``."""
    return f'"{escaped(text)}"'


def short(number: int) -> str:
    """Return a number rounded to three digits, which fits in a figure.

    Examples:
        >>> short(11_238_628), short(3_663_761_408), short(999_999), short(812)
        ('11.2 M', '3.66 G', '1 M', '812')
    """
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if float(f"{number:.3g}") >= size:
            return f"{float(f'{number / size:.3g}'):g} {unit}"
    return str(number)


def grey(text: str, size: int = 9, colour: str = GREY) -> str:
    """Return small text for a Graphviz label, grey unless told otherwise."""
    return f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{escaped(text)}</FONT>'


def inked(label: str, colour: str) -> str:
    """Return a Graphviz label in a colour; an empty colour leaves it as it is."""
    return f'<FONT COLOR="{colour}">{label}</FONT>' if colour else label
