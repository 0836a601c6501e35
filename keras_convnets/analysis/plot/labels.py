"""The labels of boxes in a figure, as Graphviz HTML-like labels."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.plot.graph import Block, Graph, Layer
from keras_convnets.analysis.plot.style import COLOURS, IDENTITY, PROJECTION, escaped, grey, short
from keras_convnets.analysis.tables import sizes
from keras_convnets.graph.branches import Body, Item, Parallel
from keras_convnets.graph.structure import heavy_of, is_gate
from keras_convnets.graph.words import Description

_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{}">{}</TABLE>'
_LEGEND = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1">{}</TABLE>'
_SWATCH = 'FIXEDSIZE="TRUE" WIDTH="16" HEIGHT="13"'
_BRANCHES = '<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="5" CELLPADDING="3" COLOR="{}">{}</TABLE>'
_SHORTCUTS = {
    "identity": ("──", IDENTITY, "identity shortcut"),
    "resized": ("- - -", IDENTITY, "identity shortcut, resized"),
    "projection": ("- - -", PROJECTION, "projection shortcut"),
}
_BRANCH = '<TD STYLE="ROUNDED" BGCOLOR="#ffffff">{}</TD>'


def block_label(block: Block, show_cost: bool, show_activations: bool = True) -> str:
    """Return the label of a box that represents one block or several equal blocks."""
    rows = _rows(
        block.inside.body + block.inside.after, COLOURS[block.kind].border, show_activations
    )
    name = title(block)
    if rows == [escaped(name)]:
        rows = []
    head = grey(name) if rows else escaped(name)
    cost = price_text(block.price) if show_cost else ""
    head = f"{head}{_times(block)}{grey(f'   {cost}') if cost else ''}"
    return _stacked([head, *rows])


def plain_label(body: Body, kind: str, show_activations: bool) -> str:
    """Return the label of a box with no text except the contents of a body."""
    return _stacked(_rows(body, COLOURS[kind].border, show_activations))


def stage_label(name: str, blocks: Sequence[Block], show_cost: bool, show_activations: bool) -> str:
    """Return the label of a stage's box, with a line for each of its blocks."""
    cost = price_text(sum((block.price for block in blocks), Price())) if show_cost else ""
    rows = []
    for block in blocks:
        colour = COLOURS[block.kind].border
        lines = _rows(block.inside.all, colour, show_activations)
        rows += _with_times(lines, block)
    head = f"{grey(name, 10)}{grey(f'   {cost}') if cost else ''}"
    return _stacked([head, *rows] if rows != [escaped(name)] else [escaped(name)])


def layer_label(
    layer: Layer, *, show_name: bool, show_cost: bool, show_activations: bool, extras: Iterable[str]
) -> str:
    """Return the label of a layer's box."""
    words = layer.description.in_full(show_activations)
    small = [layer.id] if show_name and layer.id != words else []
    small += [price_text(layer.price)] if show_cost and price_text(layer.price) else []
    return _stacked([escaped(words), *(grey(text, 8) for text in (*small, *extras))])


def title(block: Block) -> str:
    """Return the title of a box inside its stage's frame: ``block1``, ``block2 to 6``."""
    first, last = (name.removeprefix(f"{block.stage}_") for name in (block.name, block.last))
    if block.repeats == 1:
        return first
    shared = re.sub(r"[0-9]*$", "", first)
    return f"{first} to {last.removeprefix(shared) or last}"


def _with_times(lines: list[str], block: Block) -> list[str]:
    """Return a block's lines with its number of repeats; a table needs a separate line for it."""
    if block.repeats == 1 or not lines:
        return lines
    if "<TABLE" in lines[-1]:
        return [*lines, _times(block)]
    return [*lines[:-1], lines[-1] + _times(block)]


def _times(block: Block) -> str:
    return f"&#160;&#160;<B>× {block.repeats}</B>&#160;" if block.repeats > 1 else ""


def price_text(price: Price) -> str:
    """Return a cost in few digits: ``11.2 M params, 1.81 G MACs``; empty if all is 0."""
    parts = [f"{short(price.params)} params"] if price.params else []
    if price.macs or price.is_bound:
        parts.append(f"{'≥ ' if price.is_bound else ''}{short(price.macs or 0)} MACs")
    return ", ".join(parts)


def headline(graph: Graph, title: str, show_cost: bool, ink: str, grey_ink: str) -> str:
    """Return the figure's heading: its title, and below it the model's input and cost."""
    inputs = [block for block in graph.blocks if block.kind == "input"]
    shapes = ", ".join(sizes(layer.shape) for block in inputs for layer in block.layers)
    cost = price_text(graph.price)
    small = [f"input {shapes}", *([cost] if show_cost and cost else [])]
    name = f'<FONT POINT-SIZE="14"{_in(ink)}><B>{escaped(title)}</B></FONT>'
    return _stacked([name, grey(" · ".join(small), 10, grey_ink)], padding=3)


def legend(
    kinds: Iterable[str],
    *,
    shortcuts: Iterable[str],
    folded: bool,
    cost: bool,
    ink: str,
    grey_ink: str,
) -> str:
    """Return the legend: the colours in use, the line styles of shortcuts, and the numbers."""
    said = functools.partial(grey, colour=grey_ink)
    found = set(kinds) - {"input", "merge"}
    entries = [
        f'<TD BORDER="1" BGCOLOR="{colour.fill}" COLOR="{colour.border}" {_SWATCH}></TD>'
        f'<TD ALIGN="LEFT">{said(kind)}  </TD>'
        for kind, colour in COLOURS.items()
        if kind in found
    ]
    entries += [
        f'<TD><FONT COLOR="{colour}">{line}</FONT></TD><TD ALIGN="LEFT">{said(words)}  </TD>'
        for name, (line, colour, words) in _SHORTCUTS.items()
        if name in set(shortcuts)
    ]
    rows = ["".join(entries[start : start + 3]) for start in range(0, len(entries), 3)]
    whole = '<TD COLSPAN="6" ALIGN="LEFT">{}</TD>'
    if folded:
        times = f'<FONT COLOR="{ink}"><B>× n</B></FONT> ' + said(
            "n such blocks in a row, drawn once; the cost is of all n"
        )
        rows.append(whole.format(times))
    if cost:
        rows.append(whole.format(said("params: parameters. MACs: multiply-adds of one image,")))
        rows.append(whole.format(said("in convolutions and dense layers.")))
    return _LEGEND.format("".join(f"<TR>{row}</TR>" for row in rows))


def _in(ink: str) -> str:
    return f' COLOR="{ink}"' if ink else ""


def line_of(body: Body, show_activations: bool = True) -> str:
    """Return layers in one line, as in a paper's table: ``1×1, 64 | 3×3, 64 | 1×1, 256``.

    Light layers such as batch normalisation and activations are omitted unless all layers are
    light.
    """
    return " | ".join(_words(item, show_activations) for item in _brought_out(body))


def _brought_out(body: Body) -> Body:
    """Return the items of a body that a figure shows: the heavy ones, or all if none is heavy."""
    shown = tuple(item for item in body if not isinstance(item, Description) or item.heavy)
    return shown or body


def lines_of(body: Body) -> int:
    """Return the number of lines in the longest branch of a body."""
    branches = [branch for item in body if isinstance(item, Parallel) for branch in item.branches]
    return max((len(heavy_of(branch)) + 1 for branch in branches), default=0)


def _rows(body: Body, colour: str, show_activations: bool) -> list[str]:
    """Return the lines of a box: each sequence of layers is one line, branches are a table."""
    rows: list[str] = []
    run: list[Item] = []
    for item in body:
        if isinstance(item, Description) or is_gate(item):
            run.append(item)
        else:
            rows += _run(run, show_activations)
            rows.append(_branches(item, colour, show_activations))
            run = []
    return rows + _run(run, show_activations, only_heavy=bool(rows))


def _run(items: list[Item], show_activations: bool, only_heavy: bool = False) -> list[str]:
    if not items or (only_heavy and not heavy_of(tuple(items))):
        return []
    return [escaped(line_of(tuple(items), show_activations))]


def _branches(item: Parallel, colour: str, show_activations: bool) -> str:
    cells = "".join(
        _BRANCH.format(_column(branch, colour, show_activations)) for branch in item.branches
    )
    rows = f"<TR>{cells}</TR>"
    if item.merge is not None:
        merge = grey(item.merge.text, 10)
        rows += f'<TR><TD BORDER="0" COLSPAN="{len(item.branches)}">{merge}</TD></TR>'
    return _BRANCHES.format(colour, rows)


def _column(branch: Body, colour: str, show_activations: bool) -> str:
    """Return a branch from top to bottom, one line per layer."""
    lines: list[str] = []
    texts: list[str] = []
    for item in _brought_out(branch):
        if isinstance(item, Description) or is_gate(item):
            texts.append(escaped(_words(item, show_activations)))
        else:
            # Lines of text stay together, whereas the rows of a table would be spread out.
            lines += ["<BR/>".join(texts)] if texts else []
            lines.append(_branches(item, colour, show_activations))
            texts = []
    lines += ["<BR/>".join(texts)] if texts else []
    return _stacked(lines or ["identity"], padding=1)


def _words(item: Item, show_activations: bool) -> str:
    if isinstance(item, Description):
        fused = item.activation if show_activations and item.kind == "dense" else ""
        return f"{item.text}, {fused}" if fused else item.text
    scaling = max(item.branches, key=lambda branch: len(heavy_of(branch)))
    shown = _brought_out(scaling)
    first = shown[0] if shown else None
    squeezes = isinstance(first, Description) and first.text.startswith("global")
    inner = line_of(shown[1:] if squeezes and len(shown) > 1 else shown, show_activations)
    return f"SE({inner})" if squeezes else f"× ({inner})"


def _stacked(lines: Sequence[str], padding: int = 1) -> str:
    if len(lines) == 1 and "<TABLE" not in lines[0]:
        return lines[0]
    return _TABLE.format(padding, "".join(f"<TR><TD>{line}</TD></TR>" for line in lines))
