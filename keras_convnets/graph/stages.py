"""The stage of each layer in a network, the same as in its figure, and the search for a name.

Stages come from the layer names if these follow this package's naming scheme; otherwise they are
inferred from names and graph. A nested model has the stages that it has on its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import keras

from keras_convnets import checks
from keras_convnets.graph.calls import Call
from keras_convnets.graph.groups import places
from keras_convnets.graph.topology import ends
from keras_convnets.graph.walk import walk


@dataclasses.dataclass(frozen=True)
class Placed:
    """One use of a layer, with its block and stage; ``has_output``: the stage has an output."""

    call: Call
    block: str
    stage: str
    has_output: bool

    @property
    def layer(self) -> Any:
        """The layer."""
        return self.call.layer

    @property
    def name(self) -> str:
        """The layer's name, after those of the enclosing models."""
        return self.call.name


def placed_layers(model: keras.Model) -> list[Placed]:
    """Return all uses of a model's layers in the order of computation, without the inputs.

    If a nested model is used several times, each of its layers is in the stage of its first use.
    """
    calls = walk(model)
    found = places(calls, model.name)
    first = {call.name: call for call in reversed(calls) if call.model}
    found = {call: found[first.get(call.name, call)] for call in calls}
    stages = {call: place.stage or place.block for call, place in found.items()}
    last = {stages[call] for call in ends(calls)}
    return [
        Placed(
            call=call,
            block=found[call].block,
            stage=stages[call],
            has_output=stages[call] in last,
        )
        for call in calls
        if not call.is_input
    ]


def stages_after(placed: Sequence[Placed]) -> dict[str, set[str]]:
    """Return for each stage, in order, the later ones that take its outputs."""
    order = {
        stage: number for number, stage in enumerate(dict.fromkeys(one.stage for one in placed))
    }
    stage_of = {one.call: one.stage for one in placed}
    found: dict[str, set[str]] = {stage: set() for stage in order}
    for one in placed:
        for parent in one.call.parents:
            source = stage_of.get(parent, one.stage)
            if order[source] < order[one.stage]:
                found[source].add(one.stage)
    return found


def column_of(placed: Sequence[Placed], wanted: str, parameter: str) -> tuple[str, list[str]]:
    """Return the full name of a stage, block or layer, and each layer's name of the same kind.

    The name of a nested model means the first of its layers. The names of enclosing models may be
    left out if the rest is unique.

    Raises:
        ValueError: if nothing or more than one thing has this name; ``parameter`` is named in it.
    """
    columns = [[getattr(one, kind) for one in placed] for kind in ("stage", "block", "name")]
    for column in columns:
        if wanted in column:
            return wanted, column
    for column in columns:
        pairs = zip(placed, column, strict=True)
        full = {_qualified(one.call.model, name): name for one, name in pairs}
        if (match := full_name(full, wanted, parameter)) is not None:
            return full[match], column
    inner = [one.name for one in placed if wanted and _is_within(one.call.model, wanted)]
    if inner:
        return inner[0], columns[-1]
    raise _unknown(columns, wanted, parameter)


def _is_within(model: str, wanted: str) -> bool:
    """Return whether ``wanted`` names a nested model or one that encloses it: ``a`` in ``a/b``."""
    return f"/{wanted}/" in f"/{model}/"


def full_name(names: Iterable[str], wanted: Any, parameter: str) -> str | None:
    """Return the name that ends in ``wanted``, after names of enclosing models, if there is one.

    Raises:
        ValueError: if there are several; ``parameter`` is named in it.

    Examples:
        >>> full_name(["conv1", "base/conv2"], "conv2", "stage")
        'base/conv2'
    """
    matches = [name for name in names if f"/{name}".endswith(f"/{wanted}")]
    if len(matches) > 1:
        raise ValueError(
            f"{parameter}: received {wanted!r}, which is in several models; expected one of "
            f"{', '.join(map(repr, matches))}. Name one of them."
        )
    return matches[0] if matches else None


def _qualified(model: str, name: str) -> str:
    return name if not model or name.startswith(f"{model}/") else f"{model}/{name}"


def _unknown(columns: Sequence[list[str]], wanted: str, parameter: str) -> ValueError:
    stages = list(dict.fromkeys(columns[0]))
    known = dict.fromkeys(name for column in columns for name in column)
    return ValueError(
        f"{parameter}: received {wanted!r}; expected one of {', '.join(map(repr, stages))}, the "
        f"stages of the model, or one of its blocks or layers.{checks.did_you_mean(wanted, known)}"
    )


def trainable(layer: Any) -> list[Any]:
    """Return the trainable weights; an operation that is not a layer has none."""
    return getattr(layer, "trainable_weights", [])
