"""Breaking a long figure into columns, so that it is a page and not a ribbon."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from keras_convnets.analysis.graph import Edge

_MOST_PER_WIDTH = 4.5  # a single column is well up to this many times as high as wide


def columns(
    names: Sequence[str], lengths: Sequence[float], edges: Iterable[Edge], width: float
) -> dict[str, int]:
    """Return the column of every node, given in order with their lengths; all are ``width`` wide.

    The columns make the figure about as high as wide. It is broken only where a single tensor
    passes, so that the break can be drawn as a pair of marks and nothing is lost. Where the figure
    goes from left to right, columns are rows.
    """
    total = sum(lengths)
    if total <= width * _MOST_PER_WIDTH:
        return dict.fromkeys(names, 0)
    count = max(2, round(math.sqrt(total / width)))
    breakable = _breakable(names, edges)
    found: dict[str, int] = {}
    column, filled = 0, 0.0
    for index, (name, length) in enumerate(zip(names, lengths, strict=True)):
        if filled + length / 2 > total / count and index in breakable:
            column, filled = column + 1, 0.0
        found[name] = column
        filled += length
    return found


def _breakable(names: Sequence[str], edges: Iterable[Edge]) -> set[int]:
    """Return the positions before which a single node's output is all that passes."""
    position = {name: index for index, name in enumerate(names)}
    crossing: list[set[str]] = [set() for _ in names]
    for edge in edges:
        for index in range(position[edge.source] + 1, position[edge.target] + 1):
            crossing[index].add(edge.source)
    return {index for index, sources in enumerate(crossing) if len(sources) == 1}
