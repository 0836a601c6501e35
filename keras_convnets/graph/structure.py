"""The structure of a block, found from its graph: sequences of layers and parallel branches."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from keras_convnets.graph.branches import Body, Item, Parallel, body_of
from keras_convnets.graph.calls import Call
from keras_convnets.graph.words import Description

# The merges that can end a shortcut. Other merges (products, warps, attention) cannot.
_MERGES = ("+", "+ scaled", "average", "concat", "max", "min")


@dataclasses.dataclass(frozen=True)
class Inside:
    """The structure of a block: its main path, and the shortcut around it if there is one.

    ``before`` precedes the fork, ``body`` is the main path and ``shortcut`` the branch around it:
    empty for an identity, ``None`` if there is no shortcut. They meet in ``merge``, and ``after``
    follows.
    """

    body: Body
    shortcut: Body | None = None
    merge: Description | None = None
    before: Body = ()
    after: Body = ()

    @property
    def all(self) -> Body:
        """The whole block except the shortcut and its merge."""
        return self.before + self.body + self.after


def inside(calls: Sequence[Call]) -> Inside:
    """Return the structure of a block, given its calls in the order of computation."""
    body = body_of(calls) if _has_one_input(calls) else None
    if body is None:
        return Inside(tuple(_flat(calls)))
    position = _shortcut_position(body)
    if position is None:
        return Inside(body)
    merging = body[position]
    assert isinstance(merging, Parallel)
    shortcut, main = sorted(merging.branches, key=_weight)
    return Inside(main, shortcut, merging.merge, body[:position], body[position + 1 :])


def layers_of(body: Body) -> list[Description]:
    """Return the descriptions of all layers of a body, branch after branch."""
    found: list[Description] = []
    for item in body:
        if isinstance(item, Description):
            found.append(item)
        else:
            found += [layer for branch in item.branches for layer in layers_of(branch)]
            found += [item.merge] if item.merge else []
    return found


def heavy_of(body: Body) -> list[Description]:
    """Return the layers of a body that a figure emphasises."""
    return [layer for layer in layers_of(body) if layer.heavy]


def shortcut_kind(content: Body) -> str:
    """Return the kind of a shortcut: ``identity``, ``projection``, or ``resized`` (no weights)."""
    if not content:
        return "identity"
    weightless = {layer.kind for layer in layers_of(content)} <= {
        "pooling",
        "activation",
        "other",
    }
    return "resized" if weightless else "projection"


def without_dropout(content: Inside) -> Inside:
    """Return the structure of a block without its dropout layers, whatever their rates."""
    return dataclasses.replace(
        content,
        body=_undropped(content.body),
        shortcut=None if content.shortcut is None else _undropped(content.shortcut),
        before=_undropped(content.before),
        after=_undropped(content.after),
    )


def is_dropout(layer: Description) -> bool:
    """Return whether a layer randomly drops units or paths in training."""
    return layer.text.startswith("dropout") or layer.text == "StochasticDepth"


def _undropped(body: Body) -> Body:
    return tuple(
        item
        if isinstance(item, Description)
        else Parallel(tuple(map(_undropped, item.branches)), item.merge)
        for item in body
        if not isinstance(item, Description) or not is_dropout(item)
    )


def is_gate(item: Item) -> bool:
    """Return whether branches are a tensor and its gate, as in squeeze-and-excitation."""
    if not isinstance(item, Parallel) or item.merge is None or item.merge.text != "×":
        return False
    return len(item.branches) == 2 and any(not heavy_of(branch) for branch in item.branches)


def _has_one_input(calls: Sequence[Call]) -> bool:
    here = set(calls)
    return len({parent for call in calls for parent in call.parents if parent not in here}) < 2


def _flat(calls: Sequence[Call]) -> Iterator[Description]:
    """Yield the layers in sequence. Merges are emphasised, because no branches show them."""
    for call in calls:
        layer = call.description
        yield layer._replace(heavy=True) if layer.kind == "merge" and len(calls) > 1 else layer


def _shortcut_position(body: Body) -> int | None:
    """Return the position of the shortcut's merge; only light layers such as ReLU may follow it."""
    for position in reversed(range(len(body))):
        item = body[position]
        if isinstance(item, Parallel):
            return position if _is_shortcut(item) else None
        if item.heavy:
            return None
    return None


def _is_shortcut(item: Parallel) -> bool:
    """Return whether one of two branches is an identity or just a projection of the input."""
    if len(item.branches) != 2 or item.merge is None or item.merge.text not in _MERGES:
        return False
    shortcut, main = sorted(item.branches, key=_weight)
    most = 0 if item.merge.text == "concat" else 2  # a convolution, optionally after pooling
    is_plain = all(isinstance(layer, Description) for layer in shortcut)
    return is_plain and len(heavy_of(shortcut)) <= most and _weight(shortcut) < _weight(main)


def _weight(body: Body) -> tuple[int, int]:
    return len(heavy_of(body)), len(layers_of(body))
