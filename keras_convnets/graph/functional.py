"""Access to the graph of a functional Keras model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets.keras_private import graph_inside, inputs_structure, nodes_by_depth


def graph_of(model: Any) -> Any:
    """Return the graph of a functional model.

    Raises:
        ValueError: if the model has no graph.
    """
    graph = graph_inside(model)
    if graph is None:
        raise ValueError(f"model: received {model!r}; expected {_expected(model)}")
    return graph


def is_functional(layer: Any) -> bool:
    """Return whether a layer is itself a functional model."""
    return graph_inside(layer) is not None


def nodes_of(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph, inputs first; within a depth, in Keras' order of layers."""
    order = {operation: index for index, operation in enumerate(graph.operations)}
    nodes = nodes_by_depth(graph)
    for depth in sorted(nodes, reverse=True):
        yield from sorted(nodes[depth], key=lambda node: order[node.operation])


def given_to(node: Any, inner: Any) -> list[Any]:
    """Return the tensors passed to a nested model, in the order of its inputs.

    A model with named inputs takes a dictionary, which may have additional entries.
    """
    first = next(iter(node.arguments.args), None)
    names = inputs_structure(inner)
    if isinstance(first, dict) and isinstance(names, dict):
        return keras.tree.flatten({name: first[name] for name in names})
    return node.arguments.keras_tensors


def _expected(model: Any) -> str:
    if isinstance(model, keras.Sequential):
        return "a model that is built: begin it with keras.Input(...), or call build(input_shape)."
    if isinstance(model, keras.Model):
        return (
            f"a functional model: the call() of {type(model).__name__} is code, where no graph can "
            "be read. If it is made of layers and keras.ops, pass the graph that it makes: "
            "x = keras.Input((rows, cols, channels)); keras.Model(x, model.call(x))."
        )
    return (
        "a functional Keras model, such as ResnetBuilder.build_resnet_34((3, 224, 224), 10) or "
        "keras.Model(inputs, outputs)."
    )
