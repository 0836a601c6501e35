"""What is inside a block, read off its graph: steps in a row, and branches side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from keras_convnets.graph.calls import Call
from keras_convnets.graph.words import Step, describe


@dataclasses.dataclass(frozen=True)
class Parallel:
    """Branches that begin at one tensor and meet in a merge; an empty branch is an identity.

    ``merge`` is ``None`` where the branches go on separately into a later merge.
    """

    branches: tuple[Body, ...]
    merge: Step | None


# What takes part of its inputs to the letter; a product, a warp or an attention does not.
_MERGES = ("+", "+ scaled", "average", "concat", "max", "min")

Item = Step | Parallel
Body = tuple[Item, ...]


@dataclasses.dataclass(frozen=True)
class Inside:
    """The inside of a block: its main path, and the shortcut around it if it has one.

    ``shortcut`` is ``None`` without one, and empty for an identity; it begins after ``before``, and
    ``merge`` is where it meets the main path, ``body``. ``after`` follows there.
    """

    body: Body
    shortcut: Body | None = None
    merge: Step | None = None
    before: Body = ()
    after: Body = ()

    @property
    def all(self) -> Body:
        """All of the block but the shortcut and its merge."""
        return self.before + self.body + self.after


def inside(calls: Sequence[Call]) -> Inside:
    """Return the inside of a block, whose calls are in the order of computation."""
    body = _Reader(calls).read() if _has_one_input(calls) else None
    if body is None:
        return Inside(tuple(_flat(calls)))
    position = _shortcut_position(body)
    if position is None:
        return Inside(body)
    merging = body[position]
    assert isinstance(merging, Parallel)
    shortcut, main = sorted(merging.branches, key=_weight)
    return Inside(main, shortcut, merging.merge, body[:position], body[position + 1 :])


def steps_of(body: Body) -> list[Step]:
    """Return all steps of a body, branch after branch."""
    found: list[Step] = []
    for item in body:
        if isinstance(item, Step):
            found.append(item)
        else:
            found += [step for branch in item.branches for step in steps_of(branch)]
            found += [item.merge] if item.merge else []
    return found


def heavy_of(body: Body) -> list[Step]:
    """Return the steps of a body that a figure brings out."""
    return [step for step in steps_of(body) if step.heavy]


def shortcut_kind(content: Body) -> str:
    """Return what a shortcut is: ``identity``, ``projection``, or ``resized`` without weights."""
    if not content:
        return "identity"
    weightless = {step.kind for step in steps_of(content)} <= {"pooling", "activation", "other"}
    return "resized" if weightless else "projection"


def without_dropout(content: Inside) -> Inside:
    """Return the inside of a block with its dropout left out, whatever the rates."""
    return dataclasses.replace(
        content,
        body=_undropped(content.body),
        shortcut=None if content.shortcut is None else _undropped(content.shortcut),
        before=_undropped(content.before),
        after=_undropped(content.after),
    )


def is_dropout(step: Step) -> bool:
    """Return whether a step drops units or paths at random while training."""
    return step.text.startswith("dropout") or step.text == "StochasticDepth"


def _undropped(body: Body) -> Body:
    return tuple(
        item
        if isinstance(item, Step)
        else Parallel(tuple(map(_undropped, item.branches)), item.merge)
        for item in body
        if not isinstance(item, Step) or not is_dropout(item)
    )


def is_gate(item: Item) -> bool:
    """Return whether branches are a tensor and what it is scaled by: squeeze-and-excitation."""
    if not isinstance(item, Parallel) or item.merge is None or item.merge.text != "×":
        return False
    return len(item.branches) == 2 and any(not heavy_of(branch) for branch in item.branches)


def _has_one_input(calls: Sequence[Call]) -> bool:
    here = set(calls)
    return len({parent for call in calls for parent in call.parents if parent not in here}) < 2


def _flat(calls: Sequence[Call]) -> Iterator[Step]:
    """Yield the steps one by one; merges are brought out, for no branches will show them."""
    for call in calls:
        step = describe(call.layer)
        yield step._replace(heavy=True) if step.kind == "merge" and len(calls) > 1 else step


def _shortcut_position(body: Body) -> int | None:
    """Return where the shortcut's merge is: the last thing in the block but activation and BN."""
    for position in reversed(range(len(body))):
        item = body[position]
        if isinstance(item, Parallel):
            return position if _is_shortcut(item) else None
        if item.heavy:
            return None
    return None


def _is_shortcut(item: Parallel) -> bool:
    """Return whether one of two branches is an identity or a mere projection of their input."""
    if len(item.branches) != 2 or item.merge is None or item.merge.text not in _MERGES:
        return False
    shortcut, main = sorted(item.branches, key=_weight)
    most = 0 if item.merge.text == "concat" else 2  # a convolution, perhaps a pooling before it
    plain = all(isinstance(step, Step) for step in shortcut) and len(heavy_of(shortcut)) <= most
    return plain and _weight(shortcut) < _weight(main)


def _weight(body: Body) -> tuple[int, int]:
    return len(heavy_of(body)), len(steps_of(body))


class _Reader:
    """Takes a block's graph apart, from its last call back to where it begins."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._inside = set(calls)
        self._dominator, self._depth = _dominators(calls)
        self._visited: set[Call] = set()

    def read(self) -> Body | None:
        """Return the body, or ``None`` where the graph is not made of branches that meet again."""
        body = self._between(self._calls[-1], None)
        return body if body is not None and len(self._visited) == len(self._calls) else None

    def _between(self, end: Call | None, start: Call | None) -> Body | None:
        """Return what follows ``start``, up to ``end``; ``None`` is the block's input."""
        items: list[Item] = []
        call = end
        while call is not start:
            if call is None or call in self._visited:
                return None
            self._visited.add(call)
            parents = [parent if parent in self._inside else None for parent in call.parents]
            if len(set(call.parents)) <= 1 and len(parents) <= 1:
                items.append(describe(call.layer))
                call = parents[0] if parents else None
                continue
            merged = self._parallel(parents, describe(call.layer))
            if merged is None:
                return None
            items.append(merged)
            call = self._dominator[call]
        return tuple(reversed(items))

    def _parallel(self, parents: list[Call | None], merge: Step | None) -> Parallel | None:
        """Return the branches that end in ``parents``, those with a common beginning as one."""
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
    """Return for each call the last one before it that every path to it passes, and its depth."""
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
