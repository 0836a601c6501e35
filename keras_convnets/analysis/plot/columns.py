"""Breaking a long figure into columns, so that it is a page and not a ribbon."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from keras_convnets.analysis.plot.graph import Edge

_MOST_PER_WIDTH = 4.5  # a single column is well up to this many times as high as wide
_WORTH_A_BREAK = 0.75  # breaks that leave a column longer than this share of all are not made


def columns(
    names: Sequence[str],
    lengths: Sequence[float],
    edges: Iterable[Edge],
    width: float,
    length_to_width: float = 1.0,
) -> dict[str, int]:
    """Return the column of every node, given in order with their lengths; all are ``width`` wide.

    The columns together are about ``length_to_width`` times as long as wide. The figure is broken
    only where a single tensor passes, so that the break can be drawn as a pair of marks and nothing
    is lost. Where the figure goes from left to right, columns are rows. Nothing is broken where one
    part is nearly all of the figure. An auxiliary head is beside what it starts from.
    """
    edges = list(edges)
    side = aside(names, edges)
    main = [(name, length) for name, length in zip(names, lengths, strict=True) if name not in side]
    total = sum(length for _, length in main)
    if total <= width * _MOST_PER_WIDTH:
        return dict.fromkeys(names, 0)
    count = max(2, round(math.sqrt(total / width / length_to_width)))
    breakable = _breakable([name for name, _ in main], edges)
    found: dict[str, int] = {}
    heights = [0.0]
    for index, (name, length) in enumerate(main):
        if heights[-1] + length / 2 > total / count and index in breakable:
            heights.append(0.0)
        found[name] = len(heights) - 1
        heights[-1] += length
    if max(heights) > _WORTH_A_BREAK * total:
        return dict.fromkeys(names, 0)
    return found | _beside(side, edges, found)


def aside(names: Sequence[str], edges: Iterable[Edge]) -> list[str]:
    """Return the nodes that do not lead to the end that most nodes lead to, in order."""
    sources: dict[str, set[str]] = {name: set() for name in names}
    for edge in edges:
        sources[edge.target].add(edge.source)
    ends = sources.keys() - {source for found in sources.values() for source in found}
    main = max((_leading_to(end, sources) for end in sorted(ends, key=names.index)), key=len)
    return [name for name in names if name not in main]


def _leading_to(end: str, sources: dict[str, set[str]]) -> set[str]:
    found, waiting = {end}, [end]
    while waiting:
        new = sources[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _beside(side: Sequence[str], edges: Sequence[Edge], column: dict[str, int]) -> dict[str, int]:
    """Return the columns of nodes on the side: where their inputs are, given those of the main."""
    found: dict[str, int] = {}
    for name in side:
        known = column | found
        inputs = [known[edge.source] for edge in edges if edge.target == name]
        found[name] = max(inputs, default=0)
    return found


def _breakable(names: Sequence[str], edges: Iterable[Edge]) -> set[int]:
    """Return the positions before which a single node's output is all that passes."""
    position = {name: index for index, name in enumerate(names)}
    crossing: list[set[str]] = [set() for _ in names]
    for edge in (edge for edge in edges if edge.target in position):
        for index in range(position[edge.source] + 1, position[edge.target] + 1):
            crossing[index].add(edge.source)
    return {index for index, sources in enumerate(crossing) if len(sources) == 1}
