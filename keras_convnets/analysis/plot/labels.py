"""The labels of boxes in a figure, as Graphviz HTML-like labels."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterable, Sequence

from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.plot.graph.graph import Block, Graph, Layer
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.style import COLOURS, escaped, grey, inked, short
from keras_convnets.analysis.tables import sizes
from keras_convnets.graph.branches import Body, Item, Parallel
from keras_convnets.graph.structure import Inside, heavy_of, is_gate
from keras_convnets.graph.words import Description

_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{}">{}</TABLE>'
_BRANCHES = '<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="5" CELLPADDING="3" COLOR="{}">{}</TABLE>'
_TIGHT_BRANCHES = (
    '<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{}" COLOR="{}" '
    'BGCOLOR="#ffffff" STYLE="ROUNDED" ROWS="*" COLUMNS="*">{}</TABLE>'
)
_BRANCH = '<TD STYLE="ROUNDED" BGCOLOR="#ffffff">{}</TD>'
_TIGHT_BRANCH = "<TD>{}</TD>"


def block_label(block: Block, look: Look) -> str:
    """Return the label of a box that represents one block or several equal blocks."""
    rows = _rows(block.inside.body + block.inside.after, COLOURS[block.kind].border, look)
    name = title(block)
    if rows == [escaped(name)]:
        rows = []
    head = grey(name) if rows else escaped(name)
    return _stacked([*_head(head + _times(block), block.price, look, rows), *rows])


def plain_label(body: Body, kind: str, look: Look) -> str:
    """Return the label of a box with no text except the contents of a body."""
    return _stacked(_rows(body, COLOURS[kind].border, look))


def stage_label(name: str, blocks: Sequence[Block], look: Look) -> str:
    """Return the label of a stage's box, with a line for each of its blocks."""
    price = sum((block.price for block in blocks), Price())
    rows = []
    as_given = look
    if len(blocks) > 1 or blocks[0].repeats > 1:  # one line for each block
        look = dataclasses.replace(look, narrow=False)
    for block in blocks:
        lines = _rows(block.inside.all, COLOURS[block.kind].border, look)
        rows += _with_times(lines, block)
    if rows == [escaped(name)]:
        return escaped(name)
    return _stacked([*_head(grey(name, 10), price, as_given, rows), *rows])


def _head(name: str, price: Price, look: Look, rows: Sequence[str]) -> list[str]:
    """Return the name and cost of a box: in one line, or in more where they would be its width."""
    cost = price_text(price) if look.cost else ""
    if not cost:
        return [name]
    width = max((_width(row, look) for row in rows), default=len(_shown(name)))
    fits = len(_shown(name)) + 3 + len(cost) <= 1.1 * width
    if look.flat or not look.goes_across or (look.tight and fits):
        return [f"{name}{grey(f'   {cost}')}"]
    if look.splits_cost and width < 0.8 * len(cost):
        return [name, *map(grey, cost.split(", "))]
    return [name, grey(cost)]


def _width(row: str, look: Look) -> float:
    """Return the approximate width in letters of a line of a box, or of a table of branches."""
    between_cells = "</TR>" if look.branches_across else "</TD>"
    cells = [
        max(len(_shown(line)) for line in cell.split("<BR/>")) for cell in row.split(between_cells)
    ]
    return max(cells) if look.branches_across else sum(cells) + 1.5 * len(cells)


def _shown(label: str) -> str:
    return html.unescape(re.sub("<[^>]*>", "", label))


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
    """Return a block's lines with its number of repeats, which is beside a table of branches."""
    if block.repeats == 1 or not lines:
        return lines
    if "<TABLE" in lines[-1]:
        beside = f"<TR><TD>{lines[-1]}</TD><TD>{_times(block)}</TD></TR>"
        return [*lines[:-1], _TABLE.format(0, beside)]
    return [*lines[:-1], lines[-1] + _times(block)]


def _times(block: Block) -> str:
    return f"&#160;&#160;<B>× {block.repeats}</B>&#160;" if block.repeats > 1 else ""


def price_text(price: Price) -> str:
    """Return a cost in few digits: ``11.2 M params, 1.81 G MACs``; empty if all is 0."""
    parts = [f"{short(price.params)} params"] if price.params else []
    if price.macs or price.is_bound:
        parts.append(f"{'≥ ' if price.is_bound else ''}{short(price.macs or 0)} MACs")
    return ", ".join(parts)


def headline(graph: Graph, look: Look) -> str:
    """Return the heading: the title, the input and the cost; it is empty without a title."""
    title = graph.name if look.title is None else look.title
    if not title:
        return ""
    inputs = [block for block in graph.blocks if block.kind == "input"]
    shapes = ", ".join(sizes(layer.shape) for block in inputs for layer in block.layers)
    cost = price_text(graph.price)
    small = [f"input {shapes}", *([cost] if look.cost and cost else [])]
    name = inked(f'<FONT POINT-SIZE="14"><B>{escaped(title)}</B></FONT>', look.ink)
    lines = [name, grey(" · ".join(small), 10, look.grey)]
    return "&#160;&#160;&#160;".join(lines) if look.tight else _stacked(lines, padding=3)


def line_of(body: Body, show_activations: bool = True) -> str:
    """Return layers in one line, as in a paper's table: ``1×1, 64 | 3×3, 64 | 1×1, 256``.

    Light layers such as batch normalisation and activations are omitted unless all layers are
    light.
    """
    return " | ".join(_words(item, show_activations) for item in _brought_out(body))


def in_line(content: Inside) -> str:
    """Return a whole block in one line: ``3×3, 64 | 3×3, 64 + identity``."""
    words = _all_words(content.all)
    if content.shortcut is None or content.merge is None:
        return words
    shortcut = _all_words(content.shortcut) if content.shortcut else "identity"
    shortcut = f"({shortcut})" if " | " in shortcut else shortcut
    if content.merge.text == "+":
        return f"{words} + {shortcut}"
    return f"{content.merge.text}({words}; {shortcut})"


def _all_words(body: Body) -> str:
    """Return layers in one line, branches too: ``concat(1×1, 64; 1×1, 96 | 3×3, 128)``."""
    parts = []
    for item in _brought_out(body):
        if isinstance(item, Description) or is_gate(item):
            parts.append(_words(item, show_activations=True))
        else:
            branches = "; ".join(_all_words(one) or "identity" for one in item.branches)
            parts.append(f"{item.merge.text if item.merge else ''}({branches})")
    return " | ".join(parts)


def _brought_out(body: Body) -> Body:
    """Return the items of a body that a figure shows: the heavy ones, or all if none is heavy."""
    shown = tuple(item for item in body if not isinstance(item, Description) or item.heavy)
    return shown or body


def lines_of(body: Body) -> int:
    """Return the number of lines in the longest branch of a body."""
    branches = [branch for item in body if isinstance(item, Parallel) for branch in item.branches]
    return max((len(heavy_of(branch)) + 1 for branch in branches), default=0)


def _rows(body: Body, colour: str, look: Look) -> list[str]:
    """Return the lines of a box: each sequence of layers is one line, branches are a table."""
    rows: list[str] = []
    run: list[Item] = []
    for item in body:
        if isinstance(item, Description) or is_gate(item):
            run.append(item)
        else:
            rows += _run(run, look)
            rows.append(_branches(item, colour, look))
            run = []
    return rows + _run(run, look, only_heavy=bool(rows))


def _run(items: list[Item], look: Look, only_heavy: bool = False) -> list[str]:
    if not items or (only_heavy and not heavy_of(tuple(items))):
        return []
    if look.narrow:
        shown = _brought_out(tuple(items))
        return ["<BR/>".join(escaped(_words(item, look.activations)) for item in shown)]
    return [escaped(line_of(tuple(items), look.activations))]


def _branches(item: Parallel, colour: str, look: Look) -> str:
    cell = _TIGHT_BRANCH if look.tight else _BRANCH
    cells = [cell.format(_branch(branch, colour, look)) for branch in item.branches]
    rows = [f"<TR>{row}</TR>" for row in (cells if look.branches_across else ["".join(cells)])]
    if item.merge is not None and not (look.tight and item.merge.text == "concat"):
        merge = grey(item.merge.text, 10)
        span = 1 if look.branches_across else len(cells)
        rows.append(f'<TR><TD BORDER="0" COLSPAN="{span}">{merge}</TD></TR>')
    if look.tight:
        return _TIGHT_BRANCHES.format(1 if look.branches_across else 2, colour, "".join(rows))
    return _BRANCHES.format(colour, "".join(rows))


def _branch(branch: Body, colour: str, look: Look) -> str:
    """Return a branch: from top to bottom, one line per layer, or from left to right in a line."""
    parts: list[str] = []
    texts: list[str] = []
    between = " | " if look.branches_across else "<BR/>"
    for item in _brought_out(branch):
        if isinstance(item, Description) or is_gate(item):
            texts.append(escaped(_words(item, look.activations)))
        else:
            # Lines of text stay together, whereas the rows of a table would be spread out.
            parts += [between.join(texts)] if texts else []
            parts.append(_branches(item, colour, look))
            texts = []
    parts += [between.join(texts)] if texts else []
    if look.branches_across and len(parts) > 1:
        return _TABLE.format(1, "<TR>" + "".join(f"<TD>{part}</TD>" for part in parts) + "</TR>")
    return _stacked(parts or ["identity"], padding=1)


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
