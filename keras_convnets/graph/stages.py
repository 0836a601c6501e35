"""Which stage of a network each layer belongs to: the stages that its figure shows.

These are the stages of the layers' names where they follow this package's grammar, otherwise what
names and graph tell.
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
    """One use of a layer, its block and its stage; ``has_output``: the stage ends in one."""

    layer: Any
    name: str
    block: str
    stage: str
    has_output: bool


def placed_layers(model: keras.Model) -> list[Placed]:
    """Return the uses of a model's layers in the order of computation, without the inputs."""
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
    """Return the weights that training changes; an operation, which is no layer, has none."""
    return getattr(layer, "trainable_weights", [])
