"""A functional model as the list of its layers' calls, in the order of computation.

Every analysis of a model (costs, receptive fields, figures) starts from this list. Shapes are those
of the model as built, or are recomputed for another input shape. No image is processed, so the list
is the same on every backend.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from keras_convnets import axes
from keras_convnets.graph.calls import Call, Tensor, TensorShape
from keras_convnets.graph.functional import given_to, graph_of, is_functional, nodes_of
from keras_convnets.graph.input_shapes import input_shapes
from keras_convnets.graph.output_shapes import Output, outputs_of
from keras_convnets.graph.wrappers import inner_layers, repetitions
from keras_convnets.keras_private import operation_of

Nodes = tuple[Any, ...]
Expand = bool | Collection[Any]


def walk(
    model: Any, input_shape: Any = None, *, expand_nested: bool | Collection[Any] = True
) -> list[Call]:
    """Return the calls of a functional model's layers in the order of computation.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        input_shape: the ``(channels, rows, cols)`` for which to compute the shapes, whatever the
            data format; a list of such shapes for a model with several inputs. By default, the
            shapes that the model was built with.
        expand_nested: whether to list the layers of nested models in place of the models; or the
            nodes of those models of which to list them.

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
    graph: Any, shapes: Sequence[TensorShape], data_format: str, expand_nested: Expand
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

    def __init__(self, data_format: str, expand_nested: Expand) -> None:
        self.calls: list[Call] = []
        self._data_format = data_format
        self._expand_nested = expand_nested

    def run(self, graph: Any, known: dict[int, Tensor], enclosing: Nodes) -> list[Tensor]:
        """Walk ``graph``, whose inputs are ``known``; return its outputs."""
        for node in nodes_of(graph):
            if not node.is_input:
                outputs = (self._enter if self._expands(node) else self._keep)(
                    node, known, enclosing
                )
                known.update(zip(map(id, node.outputs), outputs, strict=True))
        return [known[id(tensor)] for tensor in graph.outputs]

    def _expands(self, node: Any) -> bool:
        expand = self._expand_nested
        wanted = expand if isinstance(expand, bool) else node in expand
        return wanted and is_functional(node.operation)

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
        given = inputs
        if is_functional(layer):
            given = tuple(known[id(tensor)] for tensor in given_to(node, layer))
        name = _name(enclosing, layer)
        outputs = outputs_of(node, known)
        within = self._within(name, layer, given, outputs)
        arguments = tuple(node.arguments.args[1:])
        return self.call(enclosing, layer, inputs, outputs, within=within, arguments=arguments)

    def _within(
        self, name: str, layer: Any, given: tuple[Tensor, ...], outputs: Sequence[Output]
    ) -> tuple[Call, ...]:
        """Return the calls inside a nested model or a wrapper."""
        if is_functional(layer):
            shapes = [tensor.shape for tensor in given]
            return tuple(_walked(graph_of(layer), shapes, self._data_format, True)[0])
        if not given:
            return ()
        found = []
        for inner in inner_layers(layer, given[0].shape, outputs[0][0]):
            taken = (dataclasses.replace(given[0], shape=inner.input),)
            made: list[Output] = [(inner.output, *outputs[0][1:])]
            full_name = f"{name}/{inner.layer.name}"
            within = self._within(full_name, inner.layer, taken, made)
            found.append(self._call(full_name, inner.layer, taken, made, within=within))
        return tuple(found)

    def call(
        self,
        enclosing: Nodes,
        layer: Any,
        inputs: tuple[Tensor, ...],
        outputs: Sequence[Output],
        **more: Any,
    ) -> list[Tensor]:
        """Record a call and return its outputs."""
        name = _name(enclosing, layer)
        call = self._call(name, layer, inputs, outputs, enclosing=enclosing, **more)
        self.calls.append(call)
        return list(call.outputs)

    def _call(
        self,
        name: str,
        layer: Any,
        inputs: tuple[Tensor, ...],
        outputs: Sequence[Output],
        **more: Any,
    ) -> Call:
        times = repetitions(layer, inputs[0].shape) if inputs else 1
        call = Call(name, layer, inputs, (), self._data_format, times=times, **more)
        call.returns(Tensor(call, *output) for output in outputs)
        return call


def _name(enclosing: Nodes, layer: Any) -> str:
    return "/".join([*(node.operation.name for node in enclosing), layer.name])
