"""A functional model as the list of its layers' calls, in the order of computation.

Every analysis of a model (costs, receptive fields, figures) starts from this list. Shapes are those
of the model as built, or are recomputed for another input shape. No image is processed, so the list
is the same on every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_convnets import axes
from keras_convnets.graph.calls import Call, Tensor, TensorShape
from keras_convnets.graph.functional import given_to, graph_of, is_functional, nodes_of
from keras_convnets.graph.input_shapes import input_shapes
from keras_convnets.graph.output_shapes import Output, outputs_of
from keras_convnets.keras_private import operation_of

Nodes = tuple[Any, ...]


def walk(model: Any, input_shape: Any = None, *, expand_nested: bool = True) -> list[Call]:
    """Return the calls of a functional model's layers in the order of computation.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        input_shape: the ``(channels, rows, cols)`` for which to compute the shapes, whatever the
            data format; a list of such shapes for a model with several inputs. By default, the
            shapes that the model was built with.
        expand_nested: whether to list the layers of nested models in place of the models.

    Raises:
        ValueError: if the model is not functional or does not accept the shape.
    """
    graph = graph_of(model)
    data_format = axes.format_of(model)
    shapes = input_shapes(graph, input_shape, data_format)
    return _walked(graph, shapes, data_format, expand_nested)[0]


def output_tensors(model: Any) -> list[Tensor]:
    """Return the outputs of a model, each with the call that produces it.

    Raises:
        ValueError: if the model is not functional.
    """
    graph = graph_of(model)
    data_format = axes.format_of(model)
    return _walked(graph, input_shapes(graph, None, data_format), data_format, True)[1]


def _walked(
    graph: Any, shapes: Sequence[TensorShape], data_format: str, expand_nested: bool
) -> tuple[list[Call], list[Tensor]]:
    walker = _Walker(data_format, expand_nested)
    inputs = {}
    for tensor, shape in zip(graph.inputs, shapes, strict=True):
        layer = operation_of(tensor)
        made = [(shape, str(tensor.dtype), tensor)]
        inputs[id(tensor)] = walker.call((), layer, (), made)[0]
    outputs = walker.run(graph, inputs, ())
    return walker.calls, outputs


class _Walker:
    """Walks a graph and its nested graphs, and records the calls in order."""

    def __init__(self, data_format: str, expand_nested: bool) -> None:
        self.calls: list[Call] = []
        self._data_format = data_format
        self._expand_nested = expand_nested

    def run(self, graph: Any, known: dict[int, Tensor], enclosing: Nodes) -> list[Tensor]:
        """Walk ``graph``, whose inputs are ``known``; return its outputs."""
        for node in nodes_of(graph):
            if not node.is_input:
                goes_in = self._expand_nested and is_functional(node.operation)
                outputs = (self._enter if goes_in else self._keep)(node, known, enclosing)
                known.update(zip(map(id, node.outputs), outputs, strict=True))
        return [known[id(tensor)] for tensor in graph.outputs]

    def _enter(self, node: Any, known: dict[int, Tensor], enclosing: Nodes) -> list[Tensor]:
        """Walk the nested model that a node calls."""
        inner = graph_of(node.operation)
        given = [known[id(tensor)] for tensor in given_to(node, node.operation)]
        bound = dict(zip(map(id, inner.inputs), given, strict=True))
        return self.run(inner, bound, (*enclosing, node))

    def _keep(self, node: Any, known: dict[int, Tensor], enclosing: Nodes) -> list[Tensor]:
        """Record the call of a node's layer."""
        layer = node.operation
        inputs = tuple(known[id(tensor)] for tensor in node.arguments.keras_tensors)
        within: list[Call] = []
        if is_functional(layer):
            shapes = [known[id(tensor)].shape for tensor in given_to(node, layer)]
            within = _walked(graph_of(layer), shapes, self._data_format, expand_nested=True)[0]
        return self.call(enclosing, layer, inputs, outputs_of(node, known), within)

    def call(
        self,
        enclosing: Nodes,
        layer: Any,
        inputs: tuple[Tensor, ...],
        outputs: Sequence[Output],
        within: Sequence[Call] = (),
    ) -> list[Tensor]:
        """Record a call and return its outputs."""
        made: list[Tensor] = []
        name = "/".join([*(node.operation.name for node in enclosing), layer.name])
        call = Call(name, layer, inputs, (), self._data_format, tuple(within), enclosing)
        made.extend(Tensor(call, *output) for output in outputs)
        object.__setattr__(call, "outputs", tuple(made))  # calls and tensors reference each other
        self.calls.append(call)
        return made
