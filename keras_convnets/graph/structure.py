"""What is inside a block, read off its graph: layers in a row, and branches side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from keras_convnets.graph.branches import Body, Item, Parallel, body_of
from keras_convnets.graph.calls import Call
from keras_convnets.graph.words import Description

# What takes part of its inputs to the letter; a product, a warp or an attention does not.
_MERGES = ("+", "+ scaled", "average", "concat", "max", "min")


@dataclasses.dataclass(frozen=True)
class Inside:
    """The inside of a block: its main path, and the shortcut around it if it has one.

    ``shortcut`` is ``None`` without one, and empty for an identity; it begins after ``before``, and
    ``merge`` is where it meets the main path, ``body``. ``after`` follows there.
    """

    body: Body
    shortcut: Body | None = None
    merge: Description | None = None
    before: Body = ()
    after: Body = ()

    @property
    def all(self) -> Body:
        """All of the block but the shortcut and its merge."""
        return self.before + self.body + self.after


def inside(calls: Sequence[Call]) -> Inside:
    """Return the inside of a block, whose calls are in the order of computation."""
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
    """Return the layers of a body that a figure brings out."""
    return [layer for layer in layers_of(body) if layer.heavy]


def shortcut_kind(content: Body) -> str:
    """Return what a shortcut is: ``identity``, ``projection``, or ``resized`` without weights."""
    if not content:
        return "identity"
    weightless = {layer.kind for layer in layers_of(content)} <= {
        "pooling",
        "activation",
        "other",
    }
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


def is_dropout(layer: Description) -> bool:
    """Return whether a layer drops units or paths at random while training."""
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
    """Return whether branches are a tensor and what it is scaled by: squeeze-and-excitation."""
    if not isinstance(item, Parallel) or item.merge is None or item.merge.text != "×":
        return False
    return len(item.branches) == 2 and any(not heavy_of(branch) for branch in item.branches)


def _has_one_input(calls: Sequence[Call]) -> bool:
    here = set(calls)
    return len({parent for call in calls for parent in call.parents if parent not in here}) < 2


def _flat(calls: Sequence[Call]) -> Iterator[Description]:
    """Yield the layers one by one; merges are brought out, for no branches will show them."""
    for call in calls:
        layer = call.description
        yield layer._replace(heavy=True) if layer.kind == "merge" and len(calls) > 1 else layer


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
    is_plain = all(isinstance(layer, Description) for layer in shortcut)
    return is_plain and len(heavy_of(shortcut)) <= most and _weight(shortcut) < _weight(main)


def _weight(body: Body) -> tuple[int, int]:
    return len(heavy_of(body)), len(layers_of(body))
