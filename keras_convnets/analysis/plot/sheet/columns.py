"""Breaking a long figure into columns, so that it fits a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from keras_convnets.analysis.plot.graph.graph import Edge

_MOST_PER_WIDTH = 4.5  # the largest ratio of height to width at which a figure is not broken
_WORTH_A_BREAK = 0.75  # do not break if the longest column keeps more than this share of the length


def columns(
    names: Sequence[str],
    lengths: Sequence[float],
    edges: Iterable[Edge],
    width: float,
    length_to_width: float | None = None,
) -> dict[str, int]:
    """Return the column of every node, given the nodes in order, their lengths and common width.

    All columns together are about ``length_to_width`` times as long as wide; without it, they are
    about as long as wide, and only a very long figure is broken. It is broken only where a single
    tensor crosses, so that a pair of marks can represent it. In a figure from left to right,
    columns are rows. If one part makes up nearly the whole figure, it is not broken. An auxiliary
    head is placed in the column of its input.
    """
    edges = list(edges)
    side = aside(names, edges)
    main = [(name, length) for name, length in zip(names, lengths, strict=True) if name not in side]
    total = sum(length for _, length in main)
    if total <= width * (length_to_width or _MOST_PER_WIDTH):
        return dict.fromkeys(names, 0)
    count = max(2, round(math.sqrt(total / width / (length_to_width or 1.0))))
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
    """Return, in order, the nodes off the main path: they do not lead to the main output."""
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
    """Return the columns of nodes off the main path: those of their inputs."""
    found: dict[str, int] = {}
    for name in side:
        known = column | found
        inputs = [known[edge.source] for edge in edges if edge.target == name]
        found[name] = max(inputs, default=0)
    return found


def _breakable(names: Sequence[str], edges: Iterable[Edge]) -> set[int]:
    """Return the positions at which only a single node's output crosses."""
    position = {name: index for index, name in enumerate(names)}
    crossing: list[set[str]] = [set() for _ in names]
    for edge in (edge for edge in edges if edge.target in position):
        for index in range(position[edge.source] + 1, position[edge.target] + 1):
            crossing[index].add(edge.source)
    return {index for index, sources in enumerate(crossing) if len(sources) == 1}
