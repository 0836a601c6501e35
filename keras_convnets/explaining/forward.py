"""A functional model computed call by call, with hooks on what each layer is given and returns.

It runs the model's own layers on tensors of any backend, nested models too. Nothing of the model is
changed, so that several threads may explain one model at a time.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets.graph.calls import Call
from keras_convnets.graph.functional import given_to, graph_of, is_functional, nodes_of
from keras_convnets.keras_private import node_of

Tensor = Any
Place = tuple[Any, ...]
"""One use of a layer: Keras' nodes of the models around it, outermost first, then its own."""


def place_of(call: Call) -> Place:
    """Return the place of a call in the model that was walked."""
    return (*call.enclosing, node_of(call.outputs[0].symbol))


class Hooks:
    """What is done beside the computation of a model; as it is, nothing."""

    def inputs(self, place: Place, layer: Any, inputs: list[Tensor]) -> list[Tensor]:
        """Return the tensors that a call takes, in the order of its `Call`, or others instead."""
        return inputs

    def layer(self, place: Place, layer: Any) -> Any:
        """Return what computes a call: the layer, or another in its stead."""
        return layer

    def output(self, place: Place, layer: Any, output: Tensor) -> Tensor:
        """Return the output of a call, or another in its stead."""
        return output


def forward(model: Any, images: Tensor, hooks: Hooks, training: bool = False) -> Tensor:
    """Return the output of a model of one input and one output.

    Args:
        model: a functional model, or a ``Sequential``.
        images: a tensor in the data format of the model.
        hooks: what is done beside.
        training: whether layers compute what they do in training; by default, in inference.
    """
    [output] = _run(graph_of(model), [images], hooks, (), training)
    return output


def _run(
    graph: Any, given: Sequence[Tensor], hooks: Hooks, enclosing: Place, training: bool
) -> list[Tensor]:
    nodes = [node for node in nodes_of(graph) if not node.is_input]
    uses = Counter(id(one) for node in nodes for one in node.arguments.keras_tensors)
    uses.update(map(id, graph.outputs))
    known = dict(zip(map(id, graph.inputs), given, strict=True))
    for node in nodes:
        made = keras.tree.flatten(_called(node, known, hooks, (*enclosing, node), training))
        known.update(zip(map(id, node.outputs), made, strict=True))
        for one in map(id, node.arguments.keras_tensors):
            uses[one] -= 1
            if not uses[one]:  # free the memory of feature maps that nothing takes any more
                del known[one]
    return [known[id(tensor)] for tensor in graph.outputs]


def _called(node: Any, known: dict[int, Tensor], hooks: Hooks, place: Place, training: bool) -> Any:
    layer = node.operation
    if is_functional(layer):
        given = [known[id(tensor)] for tensor in given_to(node, layer)]
        return _run(graph_of(layer), given, hooks, place, training)
    symbols = node.arguments.keras_tensors
    taken = hooks.inputs(place, layer, [known[id(one)] for one in symbols])
    arguments, keywords = node.arguments.fill_in(dict(zip(map(id, symbols), taken, strict=True)))
    if "training" in _parameters(layer):
        keywords = {**keywords, "training": training}
    return hooks.output(place, layer, hooks.layer(place, layer)(*arguments, **keywords))


def _parameters(layer: Any) -> Any:
    try:
        return inspect.signature(layer.call).parameters
    except (TypeError, ValueError):  # code without a signature, which then takes no such argument
        return ()
