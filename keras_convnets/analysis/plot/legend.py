"""The legend of a figure: the colours, the lines of shortcuts, repeats and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.style import COLOURS, IDENTITY, PROJECTION, grey, inked

_LEGEND = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1">{}</TABLE>'
SWATCH = 'FIXEDSIZE="TRUE" WIDTH="16" HEIGHT="13"'
_SHORTCUTS = {
    "identity": ("──", IDENTITY, "identity shortcut"),
    "resized": ("- - -", IDENTITY, "identity shortcut, resized"),
    "projection": ("- - -", PROJECTION, "projection shortcut"),
}
_NOTES = (
    "n such blocks in a row, drawn once; the cost is of all n",
    "params: parameters. MACs: multiply-adds of one image,",
    "in convolutions and dense layers.",
)
_SHORT_NOTES = (
    "n such blocks in a row, with the cost of all n",
    "params: parameters. MACs: multiply-adds of one image in convolutions and dense layers.",
)


def table(keys: Sequence[str], notes: Sequence[str]) -> str:
    """Return the legend as one label: the keys, three in a row, and below them the notes."""
    rows = ["".join(keys[start : start + 3]) for start in range(0, len(keys), 3)]
    rows += [f'<TD COLSPAN="6" ALIGN="LEFT">{note}</TD>' for note in notes]
    return _LEGEND.format("".join(f"<TR>{row}</TR>" for row in rows))


def entry(key: str) -> str:
    """Return the label of one key of the legend."""
    return _LEGEND.format(f"<TR>{key}</TR>")


def keys(kinds: Iterable[str], shortcuts: Iterable[str], look: Look) -> list[str]:
    """Return the cells of the legend for the colours in use and the line styles of shortcuts."""
    found = set(kinds) - {"input", "merge"}
    entries = [
        f'<TD BORDER="1" BGCOLOR="{colour.fill}" COLOR="{colour.border}" {SWATCH}></TD>'
        f'<TD ALIGN="LEFT">{grey(kind, colour=look.grey)}  </TD>'
        for kind, colour in COLOURS.items()
        if kind in found
    ]
    entries += [
        f'<TD><FONT COLOR="{colour}">{line}</FONT></TD>'
        f'<TD ALIGN="LEFT">{grey(words, colour=look.grey)}  </TD>'
        for name, (line, colour, words) in _SHORTCUTS.items()
        if name in set(shortcuts)
    ]
    return entries


def notes(folded: bool, look: Look, *, in_a_row: bool = False) -> list[str]:
    """Return the lines of the legend about repeats and numbers, shorter where they are in a row."""
    repeats, *numbers = _SHORT_NOTES if in_a_row else _NOTES
    times = f"{inked('<B>× n</B>', look.ink)} {grey(repeats, colour=look.grey)}"
    words = [grey(line, colour=look.grey) for line in numbers if look.cost]
    return [times, *words] if folded else words
