"""The facts about a model that figures show, collected in one pass. Later steps use only these."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets.analysis.cost.prices import prices
from keras_convnets.analysis.plot.graph.graph import Layer
from keras_convnets.graph.block_names import Place
from keras_convnets.graph.calls import Call
from keras_convnets.graph.groups import places, walk_by_blocks
from keras_convnets.graph.settings import settings_of
from keras_convnets.graph.unique import unique_names
from keras_convnets.graph.walk import walk


@dataclasses.dataclass(frozen=True)
class Facts:
    """A model's calls in the order of computation, with the place and properties of each."""

    model: str
    calls: tuple[Call, ...]
    places: dict[Call, Place]
    layers: dict[Call, Layer]


def facts_of(model: Any, *, expand_nested: bool | None = False) -> Facts:
    """Return the facts of a functional model; see `block_graph`.

    Raises:
        ValueError: if ``model`` is not a functional Keras model.
    """
    if expand_nested is None:
        calls = walk_by_blocks(model)
    else:
        calls = walk(model, expand_nested=expand_nested)
    placed = places(calls, model.name)
    ids = unique_names(call.name for call in calls)
    layers = {
        call: Layer(
            id=unique,
            description=call.description,
            shape=call.shape,
            dtype=call.outputs[0].dtype,
            trainable=getattr(call.layer, "trainable", None),
            price=price,
            settings=settings_of(call.layer),
        )
        for call, unique, price in zip(calls, ids, prices(calls), strict=True)
    }
    return Facts(model.name, tuple(calls), placed, layers)
