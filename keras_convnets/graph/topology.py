"""Which layers stand alone on the main path of a network, and which branch off it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from keras_convnets.graph.calls import Call


def segments(calls: Sequence[Call]) -> list[list[Call]]:
    """Split calls, in the order of computation, at the articulation points of their graph.

    A segment is either one call that every path passes, or all the calls between two such
    calls together with the second: a block with branches. What does not lead to the main output
    (an auxiliary head) is split likewise, after the main path.
    """
    found: list[list[Call]] = []
    rest = list(calls)
    while rest:
        main = _ancestors(_main_output(rest))
        found += _cut([call for call in rest if call in main])
        rest = [call for call in rest if call not in main]
    return found


def trunk(calls: Sequence[Call]) -> list[Call]:
    """Return the calls that every path from the inputs to the main output passes, in order."""
    main = _ancestors(_main_output(calls))
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
    """Split calls into parts that no tensor connects, each in the order of computation."""
    part_of: dict[Call, list[Call]] = {}
    for call in calls:
        merged = [call]
        for other in {id(part_of[p]): part_of[p] for p in call.parents if p in part_of}.values():
            merged = other + merged
        part_of |= dict.fromkeys(merged, merged)
    position = {call: index for index, call in enumerate(calls)}
    parts = {id(part): part for part in part_of.values()}.values()
    return [sorted(part, key=position.__getitem__) for part in parts]


def is_acyclic(groups: dict[Call, str]) -> bool:
    """Return whether the groups can be put in an order in which each only feeds later ones."""
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
    """Return the output that most calls lead to."""
    inside = set(calls)
    taken = {parent for call in calls for parent in call.parents}
    outputs = [call for call in calls if call not in taken]
    return max(outputs, key=lambda call: len(_ancestors(call) & inside))


def _ancestors(call: Call) -> set[Call]:
    found, waiting = {call}, [call]
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
    reach = 0  # the last call that anything before this one leads to
    for index, call in enumerate(calls):
        found[-1].append(call)
        if reach <= index:
            found.append([])
        reach = max(reach, last_use[index])
    return [segment for segment in found if segment]


def ends(calls: Sequence[Call]) -> list[Call]:
    """Return the calls that nothing follows."""
    followed = {parent for call in calls for parent in call.parents}
    return [call for call in calls if call not in followed]
