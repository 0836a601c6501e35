"""Parallel branches of a block, found from its calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from keras_convnets.graph.calls import Call
from keras_convnets.graph.words import Description


@dataclasses.dataclass(frozen=True)
class Parallel:
    """Branches from one tensor to a merge. An empty branch is an identity.

    ``merge`` is ``None`` if the branches stay separate and enter a later merge.
    """

    branches: tuple[Body, ...]
    merge: Description | None


Item = Description | Parallel
Body = tuple[Item, ...]


def body_of(calls: Sequence[Call]) -> Body | None:
    """Return the layers and branches of a block, or ``None`` if branches do not merge again."""
    return _Reader(calls).read()


class _Reader:
    """Decomposes the graph of a block, from its last call back to its input."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._inside = set(calls)
        self._dominator, self._depth = _dominators(calls)
        self._visited: set[Call] = set()

    def read(self) -> Body | None:
        """Return the body, or ``None`` if the graph is not composed of branches that merge."""
        body = self._between(self._calls[-1], None)
        return body if body is not None and len(self._visited) == len(self._calls) else None

    def _between(self, end: Call | None, start: Call | None) -> Body | None:
        """Return what follows ``start``, up to ``end``; ``None`` means the block's input."""
        items: list[Item] = []
        call = end
        while call is not start:
            if call is None or call in self._visited:
                return None
            self._visited.add(call)
            parents = [parent if parent in self._inside else None for parent in call.parents]
            if len(set(call.parents)) <= 1 and len(parents) <= 1:
                items.append(call.description)
                call = parents[0] if parents else None
                continue
            merged = self._parallel(parents, call.description)
            if merged is None:
                return None
            items.append(merged)
            call = self._dominator[call]
        return tuple(reversed(items))

    def _parallel(self, parents: list[Call | None], merge: Description | None) -> Parallel | None:
        """Return the branches that end in ``parents``, grouped if they have a common beginning."""
        fork = self._meet(parents)
        branches: list[Body] = []
        for together in self._by_beginning(parents, fork):
            if len(together) == 1:
                branch = self._between(together[0], fork)
            else:
                inner_fork = self._meet(together)
                inner = self._parallel(together, None)
                lead = self._between(inner_fork, fork)
                branch = None if inner is None or lead is None else (*lead, inner)
            if branch is None:
                return None
            branches.append(branch)
        return Parallel(tuple(branches), merge)

    def _by_beginning(
        self, parents: list[Call | None], fork: Call | None
    ) -> list[list[Call | None]]:
        groups: dict[object, list[Call | None]] = {}
        for number, parent in enumerate(parents):
            first = parent
            while first is not None and first is not fork and self._dominator[first] is not fork:
                first = self._dominator[first]
            key: object = number if first is fork else first
            groups.setdefault(key, []).append(parent)
        return list(groups.values())

    def _meet(self, calls: list[Call | None]) -> Call | None:
        """Return the last call that all paths to ``calls`` have in common."""
        return _meet(calls, self._dominator, self._depth)


def _dominators(calls: Sequence[Call]) -> tuple[dict[Call, Call | None], dict[Call | None, int]]:
    """Return the immediate dominator of each call, and each call's depth in the dominator tree."""
    dominator: dict[Call, Call | None] = {}
    depth: dict[Call | None, int] = {None: 0}
    for call in calls:
        parents = [parent if parent in dominator else None for parent in call.parents]
        dominator[call] = _meet(parents, dominator, depth)
        depth[call] = depth[dominator[call]] + 1
    return dominator, depth


def _meet(
    calls: Sequence[Call | None], dominator: dict[Call, Call | None], depth: dict[Call | None, int]
) -> Call | None:
    if not calls:
        return None
    found = calls[0]
    for other in calls[1:]:
        while found is not other:
            if depth[found] >= depth[other] and found is not None:
                found = dominator[found]
            elif other is not None:
                other = dominator[other]
    return found
