"""Assignment of layers to blocks and stages, by their names or else by the graph.

If all layer names follow this package's naming scheme, the names determine the groups. In any other
model, the segments between articulation points are joined if their layer names share a prefix.
Layers with automatic Keras names are grouped as a convolution and the layers that follow it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from keras_convnets import naming
from keras_convnets.graph.calls import Call
from keras_convnets.graph.joining import Group, groups_of
from keras_convnets.graph.prefixes import Name, names_of, stage_of, text_of
from keras_convnets.graph.topology import is_acyclic, pieces
from keras_convnets.graph.unique import unique_names


@dataclasses.dataclass(frozen=True)
class Place:
    """The block of a layer, and the stage of the block, if it has one."""

    stage: str | None
    block: str


def places(calls: Sequence[Call], model_name: str = "") -> dict[Call, Place]:
    """Return the block and stage of every call of a model, in the order of computation."""
    inputs = [call for call in calls if call.is_input]
    found = _by_our_names(calls) or _by_prefix_and_graph(calls, f"{model_name}_")
    for call in inputs:
        found[call] = Place(None, "input" if len(inputs) == 1 else call.name)
    return _told_apart(inputs, {call: found[call] for call in calls})


def _told_apart(inputs: Sequence[Call], found: dict[Call, Place]) -> dict[Call, Place]:
    """Give inputs unique names, and number the parts of a stage that other layers interrupt."""
    blocks = {place.block for call, place in found.items() if not call.is_input}
    names = unique_names([*blocks, *(found[call].block for call in inputs)])[len(blocks) :]
    for call, name in zip(inputs, names, strict=True):
        found[call] = Place(None, name)
    if is_acyclic({call: place.stage or place.block for call, place in found.items()}):
        return found
    in_order = dict.fromkeys((place.block, place.stage) for place in found.values())
    runs = [list(run) for _, run in itertools.groupby(in_order, key=lambda pair: pair[1])]
    stages = unique_names(run[0][1] or "" for run in runs)
    stage_of = {
        block: name for run, name in zip(runs, stages, strict=True) for block, stage in run if stage
    }
    return {call: Place(stage_of.get(at.block), at.block) for call, at in found.items()}


def _by_our_names(calls: Sequence[Call]) -> dict[Call, Place] | None:
    found = {}
    for call in calls:
        parsed = naming.parse(call.name)
        if parsed is not None:
            found[call] = Place(parsed.stage if parsed.block else None, parsed.group)
        elif not call.is_input:
            return None
    ends = {call: "an input" for call in calls if call.is_input}
    blocks = {call: place.block for call, place in found.items()}
    return found if is_acyclic(blocks | ends) else None


def _by_prefix_and_graph(calls: Sequence[Call], model_prefix: str) -> dict[Call, Place]:
    names = names_of(calls, model_prefix)
    groups = groups_of(pieces(calls), names)
    named = _named(groups, names)
    return {call: place for group, place in zip(groups, named, strict=True) for call in group.calls}


def _named(groups: Sequence[Group], names: Mapping[Call, Name]) -> list[Place]:
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
    return found if any(place.stage for place in found) else _by_size(groups, found)


def _noun(calls: Iterable[Call]) -> str:
    """Return a noun for a group of layers: ``block`` if it has a merge, else its heaviest kind."""
    found = [call.description.kind for call in calls]
    if "merge" in found:
        return "block"
    words = {"convolution": "conv", "dense": "dense", "model": "model", "pooling": "pool"}
    return next((word for kind, word in words.items() if kind in found), "layer")


def _own_name(group: Group, names: Mapping[Call, Name]) -> str:
    """Return the last explicit layer name in a group, preferring heavy layers."""
    named = [call for call in group.calls if not names[call].is_by_class]
    heavy = [call for call in named if call.description.heavy]
    return next((call.name for call in reversed(heavy or named)), "")


def _by_size(groups: Sequence[Group], found: list[Place]) -> list[Place]:
    """Group consecutive blocks whose feature maps have the same size into stages."""
    sizes = [_size_of_feature_maps(group.calls[-1]) for group in groups]
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
