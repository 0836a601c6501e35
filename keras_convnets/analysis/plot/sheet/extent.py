"""Estimates of the sizes of boxes, in points, to decide where to break a figure."""

from __future__ import annotations

from collections.abc import Sequence

from keras_convnets.analysis.plot.graph.graph import Block
from keras_convnets.analysis.plot.labels import line_of
from keras_convnets.graph.branches import Body, Item, Parallel
from keras_convnets.graph.structure import is_gate

_CHARACTER, _LINE = 7.0, 17.0
_CELL, _MARGIN = 16.0, 26.0  # around a branch, and around the text of a box
_BEFORE_A_STAGE = 45.0  # the line to a stage, with its label


def stage_extent(blocks: Sequence[Block]) -> tuple[float, float]:
    """Return the height of a stage's box, with the line to it, and its width.

    The label has one line for the name and cost, and at least one line for each block.
    """
    sizes = [_size(block.inside.all) for block in blocks]
    width = _MARGIN + max(170.0, *(width for width, _ in sizes))
    height = _MARGIN + _LINE + sum(height for _, height in sizes)
    return height + _BEFORE_A_STAGE, width


def _size(body: Body) -> tuple[float, float]:
    """Return the width and height of the label of a body: a line, or parallel branches."""
    branching = [item for item in body if isinstance(item, Parallel) and not is_gate(item)]
    if not branching:
        return _CHARACTER * len(line_of(body)), _LINE
    sizes = [_size_of_branches(item) for item in branching]
    return max(width for width, _ in sizes), sum(height for _, height in sizes)


def _size_of_branches(item: Parallel) -> tuple[float, float]:
    sizes = [_size_of_branch(branch) for branch in item.branches]
    merge = _LINE if item.merge is not None else 0.0
    return sum(width for width, _ in sizes), max(height for _, height in sizes) + merge


def _size_of_branch(branch: Body) -> tuple[float, float]:
    """Return the size of a branch, which has one line per layer."""
    shown = [item for item in branch if isinstance(item, Parallel) or item.heavy] or list(branch)
    sizes = [_size_of_item(item) for item in shown] or [(_CHARACTER * len("identity"), _LINE)]
    return _CELL + max(width for width, _ in sizes), _CELL + sum(height for _, height in sizes)


def _size_of_item(item: Item) -> tuple[float, float]:
    if isinstance(item, Parallel) and not is_gate(item):
        return _size_of_branches(item)
    return _CHARACTER * len(line_of((item,))), _LINE
