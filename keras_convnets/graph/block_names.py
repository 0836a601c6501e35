"""Names of blocks and stages in models that do not use our naming scheme."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from keras_convnets.graph.calls import Call
from keras_convnets.graph.joining import Group
from keras_convnets.graph.prefixes import Name, stage_of, text_of
from keras_convnets.graph.unique import unique_names

# Nouns for blocks without a name, by the heaviest kind of their layers.
_NOUNS = {"convolution": "conv", "dense": "dense", "model": "model", "pooling": "pool"}


@dataclasses.dataclass(frozen=True)
class Place:
    """The block of a layer, and the stage of the block, if it has one."""

    stage: str | None
    block: str


def named_places(
    groups: Sequence[Group], names: Mapping[Call, Name], opened: Collection[Call]
) -> list[Place]:
    """Return the places of groups, named by their labels and numbered if these are not unique."""
    times = Counter(group.label for group in groups if group.label)
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for group in groups:
        label = group.label or (_noun(group.calls),)
        seen[label] += 1
        if not group.label:
            own_name = _own_name(group, names)
            found.append(Place(None, own_name or f"{label[0]} {seen[label]}"))
        elif times[label] > 1:
            found.append(Place(text_of(label), f"{text_of(label)} ({seen[label]})"))
        else:
            found.append(Place(stage_of(label), text_of(label)))
    unique = unique_names(place.block for place in found)
    found = [Place(place.stage, name) for place, name in zip(found, unique, strict=True)]
    frames = Counter(place.stage for place in found)
    alone = {stage for stage, count in frames.items() if count == 1}
    found = [Place(None if place.stage in alone else place.stage, place.block) for place in found]
    return found if any(place.stage for place in found) else _by_size(groups, found, opened)


def _noun(calls: Iterable[Call]) -> str:
    """Return a noun for a group of layers: ``block`` if it has a merge, else its heaviest kind."""
    found = [call.description.kind for call in calls]
    if "merge" in found:
        return "block"
    return next((word for kind, word in _NOUNS.items() if kind in found), "layer")


def is_own(block: str) -> bool:
    """Return whether the name of a block was chosen by a person: not ``conv 3``."""
    noun, _, number = block.rpartition(" ")
    return noun not in (*_NOUNS.values(), "block", "layer") or not number.isdigit()


def _own_name(group: Group, names: Mapping[Call, Name]) -> str:
    """Return the last explicit layer name in a group, preferring heavy layers."""
    named = [call for call in group.calls if not names[call].is_by_class]
    heavy = [call for call in named if call.description.heavy]
    return next((call.name for call in reversed(heavy or named)), "")


def _by_size(groups: Sequence[Group], found: list[Place], opened: Collection[Call]) -> list[Place]:
    """Group consecutive blocks whose feature maps have the same size into stages."""
    ends = [group.calls[-1] for group in groups]
    sizes = [None if end in opened else _size_of_feature_maps(end) for end in ends]
    stages: list[Place] = []
    for size, run in itertools.groupby(zip(sizes, found, strict=True), key=lambda pair: pair[0]):
        blocks = [place.block for _, place in run]
        stages += [Place(size if len(blocks) > 1 else None, block) for block in blocks]
    return stages


def _size_of_feature_maps(call: Call) -> str | None:
    shape = call.shape
    if len(shape) != 3 or None in shape:
        return None
    return f"{shape[1]} × {shape[2]}"
