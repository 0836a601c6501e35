"""The rows of several models side by side: blocks that correspond are in one row.

Blocks are aligned as letters of two words are: of all ways to pair blocks without changing their
order, the one whose pairs are most alike (Needleman and Wunsch 1970).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from keras_convnets.analysis.plot.graph.folding import fold, repeated
from keras_convnets.analysis.plot.graph.graph import Block, Graph
from keras_convnets.analysis.plot.sheet.columns import aside

Row = tuple[Block | None, ...]
"""The blocks of a row, one for each model; ``None`` for a model without one."""

# How much speaks for a pair: equal resolution, name, contents, stage, kind.
_SAME_LEVEL, _SAME_NAME, _SAME_CONTENTS, _SAME_STAGE, _SAME_KIND = 4, 3, 3, 2, 1
_OTHER_LEVEL = -6
_FEATURES = ("convolution", "residual block", "concatenating block", "model")


class _Seen:
    """What is compared of a block."""

    def __init__(self, block: Block, rows_of_input: int | None) -> None:
        self.block = block
        self.kind = "features" if block.kind in _FEATURES else block.kind
        self.level = _level(block, rows_of_input)
        self.contents = block.inside

    def likeness(self, other: _Seen) -> int:
        """Return how much speaks for a pair of blocks; 0 or less if they are none."""
        if self.kind != other.kind:
            return 0
        one, two = self.block, other.block
        known = self.level is not None and other.level is not None
        at_one_level = known and self.level == other.level
        found = _SAME_LEVEL if at_one_level else _OTHER_LEVEL if known else 0
        found += _SAME_NAME * (one.name == two.name)
        found += _SAME_STAGE * (one.stage is not None and one.stage == two.stage)
        found += _SAME_CONTENTS * (self.contents == other.contents)
        return found + _SAME_KIND * (one.kind == two.kind)


def ordered(graph: Graph) -> Graph:
    """Return the graph with what is off the main path, such as auxiliary heads, after its input."""
    names = [block.name for block in graph.blocks]
    side = aside(names, graph.edges)
    order = [name for name in names if name not in side]
    for name in side:
        sources = [order.index(edge.source) for edge in graph.edges if edge.target == name]
        order.insert(max(sources, default=-1) + 1, name)
    blocks = tuple(sorted(graph.blocks, key=lambda block: order.index(block.name)))
    return dataclasses.replace(graph, blocks=blocks)


def aligned(graphs: Sequence[Graph]) -> list[Row]:
    """Return the rows of several graphs, in the order of computation of each."""
    rows: list[list[_Seen | None]] = []
    for number, graph in enumerate(graphs):
        blocks = _seen(graph)
        merged: list[list[_Seen | None]] = []
        for row, block in _pairs(rows, blocks):
            before = rows[row] if row is not None else [None] * number
            merged.append([*before, blocks[block] if block is not None else None])
        rows = merged
    return [tuple(cell.block if cell else None for cell in row) for row in rows]


def folded(graphs: Sequence[Graph]) -> tuple[list[Graph], list[Row]]:
    """Return the graphs and their rows, where each run of equal rows is merged into one.

    A row equals the one before if each model that has a block in it has an equal one there.
    """
    repeats = [repeated(graph) for graph in graphs]
    into_previous: list[set[str]] = [set() for _ in graphs]
    kept: list[Row] = []
    before: Row = ()
    for row in aligned(graphs):
        if before and _repeats(row, before, repeats):
            for found, block in zip(into_previous, row, strict=True):
                found |= {block.name} if block else set()
        else:
            kept.append(row)
        before = row
    made = [fold(graph, found) for graph, found in zip(graphs, into_previous, strict=True)]
    boxes = [{block.name: block for block in graph.blocks} for graph in made]
    rows = [
        tuple(block and box[block.name] for block, box in zip(row, boxes, strict=True))
        for row in kept
    ]
    return made, rows


def _repeats(row: Row, before: Row, repeats: Sequence[set[str]]) -> bool:
    return all(
        (block is None) == (previous is None) and (block is None or block.name in found)
        for block, previous, found in zip(row, before, repeats, strict=True)
    )


def _seen(graph: Graph) -> list[_Seen]:
    shapes = [block.shape for block in graph.blocks if block.kind == "input"]
    rows = next((shape[1] for shape in shapes if len(shape) == 3), None)
    return [_Seen(block, rows) for block in graph.blocks]


def _level(block: Block, rows_of_input: int | None) -> int | None:
    """Return how often the resolution has been halved, -1 for a vector; ``None`` if unknown."""
    if len(block.shape) == 1:
        return -1
    if len(block.shape) != 3 or not block.shape[1] or not rows_of_input:
        return None
    return max(0, round(math.log2(rows_of_input / block.shape[1])))


def _pairs(
    rows: Sequence[Sequence[_Seen | None]], blocks: Sequence[_Seen]
) -> list[tuple[int | None, int | None]]:
    """Return the pairs of a row and a block, and those without a partner, in order."""
    # best[i][j]: of the first i rows and the first j blocks.
    best = [[0] * (len(blocks) + 1) for _ in range(len(rows) + 1)]
    likeness = [[_likeness(row, block) for block in blocks] for row in rows]
    for i, scores in enumerate(likeness, 1):
        for j, score in enumerate(scores, 1):
            apart = max(best[i - 1][j], best[i][j - 1])
            best[i][j] = max(apart, best[i - 1][j - 1] + score) if score > 0 else apart
    return _traced(best, likeness)


def _likeness(row: Sequence[_Seen | None], block: _Seen) -> int:
    return max((seen.likeness(block) for seen in row if seen is not None), default=0)


def _traced(
    best: Sequence[Sequence[int]], likeness: Sequence[Sequence[int]]
) -> list[tuple[int | None, int | None]]:
    """Return the pairs that make up the best score; of equal ones, those that are first."""
    found: list[tuple[int | None, int | None]] = []
    i, j = len(best) - 1, len(best[0]) - 1
    while i or j:
        if i and best[i][j] == best[i - 1][j]:
            i -= 1
            found.append((i, None))
        elif j and best[i][j] == best[i][j - 1]:
            j -= 1
            found.append((None, j))
        else:
            i, j = i - 1, j - 1
            found.append((i, j))
    return found[::-1]
