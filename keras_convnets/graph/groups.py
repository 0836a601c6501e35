"""Assignment of layers to blocks and stages, by their names or else by the graph.

If all layer names follow this package's naming scheme, the names determine the groups. In any other
model, the segments between articulation points are joined if their layer names share a prefix.
Layers with automatic Keras names are grouped as a convolution and the layers that follow it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_convnets import naming
from keras_convnets.graph.block_names import Place, named_places
from keras_convnets.graph.calls import Call
from keras_convnets.graph.joining import Group, groups_of
from keras_convnets.graph.nesting import Level, cut_at, opened_models
from keras_convnets.graph.prefixes import names_of
from keras_convnets.graph.topology import is_acyclic, pieces
from keras_convnets.graph.unique import unique_names
from keras_convnets.graph.walk import walk


def places(calls: Sequence[Call], model_name: str = "") -> dict[Call, Place]:
    """Return the block and stage of every call of a model, in the order of computation.

    Nested models have the blocks and stages that they have on their own. A name that several models
    use is qualified by the name of the nested one: ``base/conv2``.
    """
    found = _spots(calls, model_name, 0)
    return _told_apart({call: found[call] for call in calls})


def walk_by_blocks(model: Any) -> list[Call]:
    """Return the calls of a model, and of nested models that have several blocks of their own."""
    calls = walk(model)
    nested = {node for call in calls for node in call.enclosing}
    if not nested:
        return calls
    spots = _spots(calls, model.name, 0).values()
    return walk(model, expand_nested={node for spot in spots for node in spot.enclosing})


@dataclasses.dataclass(frozen=True)
class _Spot:
    """The place of a call within its model, and the nodes that call this model."""

    enclosing: tuple[Any, ...]
    model: str
    place: Place


def _told_apart(spots: Mapping[Call, _Spot]) -> dict[Call, Place]:
    """Return the places with names that are unique among all models and all uses of a model."""
    models: dict[str, set[str]] = {}
    for spot in spots.values():
        for name in filter(None, (spot.place.stage, spot.place.block)):
            models.setdefault(name, set()).add(spot.model)

    def unique(kind: str) -> dict[tuple[Any, str | None], str]:
        keys: dict[tuple[Any, str | None], str] = {
            (spot.enclosing, name): f"{spot.model}/{name}" if len(models[name]) > 1 else name
            for spot in spots.values()
            if (name := getattr(spot.place, kind))
        }
        qualified = (name.removeprefix("/") for name in keys.values())
        return dict(zip(keys, unique_names(qualified), strict=True))

    stages, blocks = unique("stage"), unique("block")
    return {
        call: Place(
            stages.get((spot.enclosing, spot.place.stage)), blocks[spot.enclosing, spot.place.block]
        )
        for call, spot in spots.items()
    }


def _spots(calls: Sequence[Call], model_name: str, depth: int) -> dict[Call, _Spot]:
    """Return the spots of the calls of a model, which is itself within ``depth`` models."""
    level = Level(calls, depth)
    within = {
        stand_in: _spots(members, stand_in.name, depth + 1)
        for stand_in, members in level.models.items()
    }
    blocks = {stand_in: _blocks(spots.values()) for stand_in, spots in within.items()}
    opened = opened_models(level, blocks)
    enclosing = calls[0].enclosing[:depth]
    model = "/".join(node.operation.name for node in enclosing)
    found: dict[Call, _Spot] = {}
    for call, place in _of_one_model(level.calls, model_name, opened).items():
        if call in opened:
            found |= within[call]
            continue
        spot = _Spot(enclosing, model, place)
        found |= dict.fromkeys(level.members(call), spot)
    return found


def _blocks(spots: Iterable[_Spot]) -> list[str]:
    """Return the names of the blocks within a model, in order."""
    return [name for _, name in dict.fromkeys((spot.enclosing, spot.place.block) for spot in spots)]


def _of_one_model(calls: Sequence[Call], model_name: str, opened: set[Call]) -> dict[Call, Place]:
    """Return the places of a model's calls, where each nested model is a single call."""
    inputs = [call for call in calls if call.is_input]
    prefix = f"{model_name}_"
    found = _by_our_names(calls, opened) or _by_prefix_and_graph(calls, prefix, opened)
    for call in inputs:
        found[call] = Place(None, "input" if len(inputs) == 1 else call.name)
    return _numbered(inputs, {call: found[call] for call in calls}, opened)


def _numbered(
    inputs: Sequence[Call], found: dict[Call, Place], opened: set[Call]
) -> dict[Call, Place]:
    """Give inputs unique names, and number the parts of a stage that other layers interrupt."""
    blocks = {place.block for call, place in found.items() if not call.is_input}
    names = unique_names([*blocks, *(found[call].block for call in inputs)])[len(blocks) :]
    for call, name in zip(inputs, names, strict=True):
        found[call] = Place(None, name)
    stage_of = {call: place.stage or place.block for call, place in found.items()}
    if is_acyclic(stage_of | {call: f"{call.name}/" for call in opened}):
        return found
    in_order = dict.fromkeys((place.block, place.stage) for place in found.values())
    runs = [list(run) for _, run in itertools.groupby(in_order, key=lambda pair: pair[1])]
    stages = unique_names(run[0][1] or "" for run in runs)
    number_of = {
        block: name for run, name in zip(runs, stages, strict=True) for block, stage in run if stage
    }
    return {call: Place(number_of.get(at.block), at.block) for call, at in found.items()}


def _by_our_names(calls: Sequence[Call], opened: set[Call]) -> dict[Call, Place] | None:
    """Return the places that names of our scheme tell, or ``None`` if not all are such names.

    Beside networks that were built in a scope there may be other layers, such as those that join
    two of them, which are grouped by themselves.
    """
    scopes = {
        scope for call in calls if call.is_input and (scope := naming.scope_of_input(call.name))
    }
    found, others = {}, []
    for call in calls:
        parsed = _parsed(call, scopes)
        if parsed is not None:
            found[call] = Place(parsed.stage if parsed.block else None, parsed.group)
        elif call in opened:
            found[call] = Place(None, call.name)
        elif not call.is_input:
            others.append(call)
    if others and not scopes:
        return None
    found |= _by_prefix_and_graph(others, "", opened) if others else {}
    ends = {call: "an input" for call in calls if call.is_input}
    models = {call: f"{call.name}/" for call in opened}
    blocks = {call: place.block for call, place in found.items()}
    return found if is_acyclic(blocks | models | ends) else None


def _parsed(call: Call, scopes: set[str]) -> naming.LayerName | None:
    in_scope = (naming.parse(call.name, scope) for scope in sorted(scopes, key=len, reverse=True))
    return next(filter(None, in_scope), None if scopes else naming.parse(call.name))


def _by_prefix_and_graph(
    calls: Sequence[Call], model_prefix: str, opened: set[Call]
) -> dict[Call, Place]:
    names = names_of(calls, model_prefix)
    groups: list[Group] = []
    cut = itertools.groupby(cut_at(pieces(calls), opened), lambda piece: piece.calls[0] in opened)
    for is_model, run in cut:
        found = groups_of(run, names)
        groups += [dataclasses.replace(group, label=()) for group in found] if is_model else found
    named = named_places(groups, names, opened)
    return {call: place for group, place in zip(groups, named, strict=True) for call in group.calls}
