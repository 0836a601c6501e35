"""The topology of a network's calls: segments, trunk, chains and ends."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from keras_convnets.graph.calls import Call


def segments(calls: Sequence[Call]) -> list[list[Call]]:
    """Split calls, in the order of computation, at the articulation points of their graph.

    A segment is either one call that every path passes through, or all calls between two such calls
    together with the second one: a block with branches. Calls that do not lead to the main output
    (an auxiliary head) are split in the same way, after the main path.
    """
    found: list[list[Call]] = []
    rest = list(calls)
    while rest:
        main = ancestors([_main_output(rest)])
        found += _cut([call for call in rest if call in main])
        rest = [call for call in rest if call not in main]
    return found


@dataclasses.dataclass(frozen=True)
class Piece:
    """A segment without the model's inputs, and its chains: runs of calls without fork or merge.

    ``takes_inputs`` is whether model inputs enter the segment; it is then not a block.
    """

    calls: list[Call]
    chains: list[list[Call]]
    takes_inputs: bool = False


def pieces(calls: Sequence[Call]) -> Iterator[Piece]:
    """Yield the segments of a graph; towers that have their own inputs are split separately."""
    for segment in segments(calls):
        yield from _pieces_of(segment)


def _pieces_of(segment: list[Call]) -> Iterator[Piece]:
    rest = [call for call in segment if not call.is_input]
    takes_inputs = len(rest) < len(segment) and len(rest) > 1
    towers = components(rest[:-1]) if takes_inputs else []
    if len(towers) > 1:
        parts = [*(part for tower in towers for part in segments(tower)), rest[-1:]]
        for part in parts:
            yield from _pieces_of(part)
    elif rest:
        yield Piece(rest, chains(rest), takes_inputs)


def trunk(calls: Sequence[Call]) -> list[Call]:
    """Return, in order, the calls on every path from the inputs to the main output."""
    main = ancestors([_main_output(calls)])
    return [segment[-1] for segment in _cut([call for call in calls if call in main])]


def chains(calls: Sequence[Call]) -> list[list[Call]]:
    """Split calls into the longest runs without a fork or a merge inside."""
    children = Counter(parent for call in calls for parent in call.parents)
    inside, chain_of = set(calls), dict[Call, list[Call]]()
    found: list[list[Call]] = []
    for call in calls:
        parent = call.parents[0] if len(call.parents) == 1 else None
        if parent in inside and parent is not None and children[parent] == 1:
            chain_of[call] = chain_of[parent]
        else:
            chain_of[call] = []
            found.append(chain_of[call])
        chain_of[call].append(call)
    return found


def components(calls: Sequence[Call]) -> list[list[Call]]:
    """Split calls into connected components, each in the order of computation."""
    part_of: dict[Call, list[Call]] = {}
    for call in calls:
        merged = [call]
        for other in {id(part_of[p]): part_of[p] for p in call.parents if p in part_of}.values():
            merged = other + merged
        part_of |= dict.fromkeys(merged, merged)
    position = {call: index for index, call in enumerate(calls)}
    parts = {id(part): part for part in part_of.values()}.values()
    return [sorted(part, key=position.__getitem__) for part in parts]


def ends(calls: Sequence[Call]) -> list[Call]:
    """Return the calls whose outputs no other call uses."""
    followed = {parent for call in calls for parent in call.parents}
    return [call for call in calls if call not in followed]


def is_acyclic(groups: dict[Call, str]) -> bool:
    """Return whether the groups can be ordered so that each feeds only later ones."""
    feeds: dict[str, set[str]] = {group: set() for group in groups.values()}
    for call, group in groups.items():
        feeds[group].update(groups[parent] for parent in call.parents if groups[parent] != group)
    while feeds:
        ready = [group for group, sources in feeds.items() if not sources & feeds.keys()]
        if not ready:
            return False
        for group in ready:
            del feeds[group]
    return True


def _main_output(calls: Sequence[Call]) -> Call:
    """Return the main output: the one that depends on most calls."""
    inside = set(calls)
    return max(ends(calls), key=lambda call: len(ancestors([call]) & inside))


def ancestors(calls: Iterable[Call]) -> set[Call]:
    """Return the calls, and all others that they depend on."""
    waiting = list(calls)
    found = set(waiting)
    while waiting:
        for parent in waiting.pop().parents:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _cut(calls: list[Call]) -> list[list[Call]]:
    position = {call: index for index, call in enumerate(calls)}
    last_use = list(range(len(calls)))
    for index, call in enumerate(calls):
        for parent in call.parents:
            if parent in position:
                last_use[position[parent]] = index
    found: list[list[Call]] = [[]]
    reach = 0  # the last call that takes an output of the calls so far
    for index, call in enumerate(calls):
        found[-1].append(call)
        if reach <= index:
            found.append([])
        reach = max(reach, last_use[index])
    return [segment for segment in found if segment]
