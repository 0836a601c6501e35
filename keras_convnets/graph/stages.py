"""The stage of each layer in a network, the same as in its figure.

Stages come from the layer names if these follow this package's naming scheme; otherwise they are
inferred from names and graph.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from keras_convnets.graph.groups import places
from keras_convnets.graph.topology import ends
from keras_convnets.graph.walk import walk


@dataclasses.dataclass(frozen=True)
class Placed:
    """One use of a layer, with its block and stage; ``has_output``: the stage has an output."""

    layer: Any
    name: str
    block: str
    stage: str
    has_output: bool


def placed_layers(model: keras.Model) -> list[Placed]:
    """Return all uses of a model's layers in the order of computation, without the inputs."""
    calls = walk(model)
    found = places(calls, model.name)
    stages = {call: found[call].stage or found[call].block for call in calls}
    last = {stages[call] for call in ends(calls)}
    return [
        Placed(call.layer, call.name, found[call].block, stages[call], stages[call] in last)
        for call in calls
        if not call.is_input
    ]


def trainable(layer: Any) -> list[Any]:
    """Return the trainable weights; an operation that is not a layer has none."""
    return getattr(layer, "trainable_weights", [])
