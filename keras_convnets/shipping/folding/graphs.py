"""The graphs of a model and of the models within it, with the uses of each layer and tensor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets.graph.functional import graph_of, is_functional, nodes_of
from keras_convnets.keras_private import all_layers, is_keras_own
from keras_convnets.shipping.folding.passing import trains


class Graph:
    """The nodes of a model in the order of computation, what makes a tensor, and what takes it.

    ``trains`` is whether it is called somewhere to compute what it does in training.
    """

    def __init__(self, model: Any) -> None:
        self.trains = False
        graph = graph_of(model)
        self.inputs, self.outputs = graph.inputs, graph.outputs
        self.nodes = list(nodes_of(graph))
        self.maker = {id(tensor): node for node in self.nodes for tensor in node.outputs}
        self._takers: defaultdict[int, list[Any]] = defaultdict(list)
        for node in self.nodes:
            for tensor in node.arguments.keras_tensors:
                self._takers[id(tensor)].append(node)
        self._results = {id(tensor) for tensor in graph.outputs}

    def takers(self, tensor: Any) -> list[Any]:
        """Return the nodes that take a tensor, one twice if it takes it twice."""
        return self._takers[id(tensor)]

    def is_result(self, tensor: Any) -> bool:
        """Return whether a tensor is an output of the model."""
        return id(tensor) in self._results


def graphs_of(model: Any) -> dict[Any, Graph]:
    """Return the graphs of a model and of the models within, each once, the outermost first."""
    found: dict[Any, Graph] = {}
    left = [(model, False)]
    while left:
        one, training = left.pop()
        known = found.get(one)
        graph = found[one] = known or Graph(one)
        if known is None or training > graph.trains:
            graph.trains = training
            left += [
                (node.operation, training or trains(node))
                for node in graph.nodes
                if is_open(node.operation)
            ]
    return found


def is_open(layer: Any) -> bool:
    """Return whether a layer is a functional model that computes what its graph says."""
    own = "call" not in vars(layer) and is_keras_own(getattr(type(layer), "call", None))
    return own and is_functional(layer)


def uses(graphs: dict[Any, Graph]) -> Iterator[Any]:
    """Yield the layer of each node of some graphs."""
    for graph in graphs.values():
        yield from (node.operation for node in graph.nodes)


def norms_of(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the batch normalisations of a model in the order of computation, with their names.

    Those of a nested model are prefixed with its name: ``backbone/conv1_bn``.
    """
    for layer in dict.fromkeys(node.operation for node in nodes_of(graph_of(model))):
        name = f"{prefix}{layer.name}"
        if is_open(layer):
            yield from norms_of(layer, f"{name}/")
        elif isinstance(layer, keras.Layer):
            for inner in all_layers(layer):
                if isinstance(inner, keras.layers.BatchNormalization):
                    yield (name if inner is layer else f"{name}/{inner.name}"), inner
