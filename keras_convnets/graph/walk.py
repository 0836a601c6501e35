"""A functional model as the list of its layers' calls: the one reader of Keras' private graph.

Whatever is shown of a model (cost, receptive fields, figures) starts from this list. Shapes are
those of the model as it was built, or worked out anew for another input shape; no image is
computed, so the list is the same on every backend.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from keras_convnets import axes, checks

Shape = tuple[int | None, ...]
# What a call makes: the shape, the type and Keras' own tensor.
Made = tuple[Shape, str, Any]


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor between two calls: the call that makes it, its shape without the batch, its type.

    ``symbol`` is Keras' tensor in the model as it was built, whatever the shape.
    """

    source: Call
    shape: Shape
    dtype: str
    symbol: Any = dataclasses.field(repr=False, compare=False)


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer: a layer that is used twice has two calls.

    ``name`` has the names of the models around the layer before its own: ``backbone/conv1``.
    """

    name: str
    layer: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    data_format: str

    @property
    def parents(self) -> tuple[Call, ...]:
        """The calls whose outputs this one takes, in the order of its arguments."""
        return tuple(tensor.source for tensor in self.inputs)

    @property
    def kind(self) -> str:
        """The layer's class."""
        return type(self.layer).__name__

    @property
    def shape(self) -> Shape:
        """The shape of the first output as papers write it: channels, rows, columns."""
        return in_papers_order(self.outputs[0].shape, self.data_format)

    @property
    def is_input(self) -> bool:
        """Whether the call is one of the model's inputs."""
        return isinstance(self.layer, keras.layers.InputLayer)


def elements(shape: Shape) -> int:
    """Return the number of elements of a shape without its batch; all sizes must be known."""
    return math.prod(size for size in shape if size is not None)


def in_papers_order(shape: Shape, data_format: str) -> Shape:
    """Return a shape without its batch as papers write it: channels first."""
    return axes.in_papers_order((None, *shape), data_format)


def walk(model: Any, input_shape: Any = None, *, expand_nested: bool = True) -> list[Call]:
    """Return the calls of a functional model's layers in the order of computation.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        input_shape: ``(channels, rows, cols)`` to work the shapes out for, whatever the data
            format; a list of such shapes where the model has several inputs. By default the
            shapes are those that the model was built with.
        expand_nested: whether the layers of models within the model are listed in their place.

    Raises:
        ValueError: not a functional model, or a shape that it cannot take.
    """
    graph = _functional(model)
    data_format = axes.format_of(model)
    shapes = _input_shapes(graph, input_shape, data_format)
    return _walked(graph, shapes, data_format, expand_nested)[0]


def output_tensors(model: Any) -> list[Tensor]:
    """Return the tensors that a model outputs, each with the call of a layer that makes it.

    Raises:
        ValueError: not a functional model.
    """
    graph = _functional(model)
    data_format = axes.format_of(model)
    return _walked(graph, _input_shapes(graph, None, data_format), data_format, True)[1]


def walk_inside(call: Call) -> list[Call]:
    """Return the calls within a call of a functional model, with the shapes that they get there."""
    graph = _functional(call.layer)
    shapes = [tensor.shape for tensor in call.inputs]
    return _walked(graph, shapes, call.data_format, expand_nested=True)[0]


def open_sizes(call: Call) -> ValueError:
    """Return the error for a call whose sizes are not all known."""
    names = {1: "steps", 2: "rows, cols", 3: "depth, rows, cols"}
    sizes = names.get(len(call.shape) - 1, "...")
    channels = "channels" if call.shape[0] is None else call.shape[0]
    shape = ", ".join("None" if size is None else str(size) for size in call.shape)
    return ValueError(
        f"input_shape: the model leaves sizes open, {call.name}: ({shape}); expected all of them. "
        f"Pass input_shape=({channels}, {sizes}), on the command line --input-shape."
    )


def _walked(
    graph: Any, shapes: Sequence[Shape], data_format: str, expand_nested: bool
) -> tuple[list[Call], list[Tensor]]:
    walker = _Walker(data_format, expand_nested)
    inputs = {}
    for tensor, shape in zip(graph.inputs, shapes, strict=True):
        layer = tensor._keras_history.operation
        made = [(shape, str(tensor.dtype), tensor)]
        inputs[id(tensor)] = walker.call(layer.name, layer, (), made)[0]
    outputs = walker.run(graph, inputs, "")
    return walker.calls, outputs


class _Walker:
    """Goes through a graph and the graphs within, and keeps the calls in order."""

    def __init__(self, data_format: str, expand_nested: bool) -> None:
        self.calls: list[Call] = []
        self._data_format = data_format
        self._expand_nested = expand_nested

    def run(self, graph: Any, known: dict[int, Tensor], prefix: str) -> list[Tensor]:
        """Walk ``graph``, whose inputs are ``known``; return its outputs."""
        for node in _nodes(graph):
            if node.is_input:
                continue
            layer = node.operation
            inputs = tuple(known[id(tensor)] for tensor in node.arguments.keras_tensors)
            inner = _functional_or_none(layer) if self._expand_nested else None
            if inner is None:
                outputs = self.call(prefix + layer.name, layer, inputs, _outputs(node, known))
            else:
                given = [known[id(tensor)] for tensor in _given(node, inner)]
                bound = dict(zip(map(id, inner.inputs), given, strict=True))
                outputs = self.run(inner, bound, f"{prefix}{layer.name}/")
            known.update(zip(map(id, node.outputs), outputs, strict=True))
        return [known[id(tensor)] for tensor in graph.outputs]

    def call(
        self, name: str, layer: Any, inputs: tuple[Tensor, ...], outputs: Sequence[Made]
    ) -> list[Tensor]:
        """Keep a call, and return the tensors that it makes."""
        made: list[Tensor] = []
        call = Call(name, layer, inputs, (), self._data_format)
        made.extend(Tensor(call, *output) for output in outputs)
        object.__setattr__(call, "outputs", tuple(made))  # a call and its tensors name each other
        self.calls.append(call)
        return made


def _functional(model: Any) -> Any:
    graph = _functional_or_none(model)
    if graph is None:
        unbuilt = isinstance(model, keras.Model) and not model.built
        expected = (
            "a model that is built: begin it with keras.Input(...), or call its build(input_shape)."
            if unbuilt
            else "a functional Keras model, such as "
            "ResnetBuilder.build_resnet_34((3, 224, 224), 10) or keras.Model(inputs, outputs)."
        )
        raise ValueError(f"model: received {model!r}; expected {expected}")
    return graph


def is_functional(layer: Any) -> bool:
    """Return whether a layer is a functional model itself, with a graph inside."""
    return _functional_or_none(layer) is not None


def _functional_or_none(model: Any) -> Any:
    """Return the graph of a functional model; a ``Sequential`` keeps it inside."""
    graph = getattr(model, "_functional", None) or model
    is_graph = isinstance(model, keras.Model) and hasattr(graph, "_nodes_by_depth")
    return graph if is_graph else None


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph, inputs first, those of one depth as Keras lists their layers."""
    order = {operation: index for index, operation in enumerate(graph.operations)}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from sorted(graph._nodes_by_depth[depth], key=lambda node: order[node.operation])


def _given(node: Any, inner: Any) -> list[Any]:
    """Return the tensors that a model within gets, in the order of its inputs.

    A model of named inputs takes a dictionary, which may hold more than it asks for.
    """
    first = next(iter(node.arguments.args), None)
    names = getattr(inner, "_inputs_struct", None)
    if isinstance(first, dict) and isinstance(names, dict):
        return keras.tree.flatten({name: first[name] for name in names})
    return node.arguments.keras_tensors


def _input_shapes(graph: Any, given: Any, data_format: str) -> list[Shape]:
    built = [tuple(tensor.shape[1:]) for tensor in graph.inputs]
    if given is None:
        return built
    alone = len(built) == 1 and not _is_list_of_shapes(given)
    shapes = [given] if alone or not isinstance(given, list | tuple) else list(given)
    if len(shapes) != len(built):
        raise ValueError(
            f"input_shape: received {given!r}; expected a list with a shape for each of the "
            f"{len(built)} inputs."
        )
    return [_checked(*pair, data_format) for pair in zip(shapes, built, strict=True)]


def _is_list_of_shapes(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(one, list | tuple) for one in given)


def _checked(given: Any, built: Shape, data_format: str) -> Shape:
    """Return a shape in Keras' order, if the input can take it."""
    papers = in_papers_order(built, data_format)
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != len(built):
        raise ValueError(
            f"input_shape: received {given!r}; expected {len(built)} sizes, channels first, for an "
            f"input of {papers}."
        )
    if len(built) == 3 and given[0] != papers[0]:
        given = checks.input_shape(given)  # which sees where the channels were put last
    given = [checks.size("input_shape", size) for size in given]
    if papers and papers[0] not in (None, given[0]):
        raise ValueError(
            f"input_shape: received {tuple(given)!r}; expected {papers[0]} channels, as the model "
            "was built with."
        )
    channels, *sizes = given
    return (channels, *sizes) if data_format == "channels_first" else (*sizes, channels)


def _outputs(node: Any, known: dict[int, Tensor]) -> list[Made]:
    """Return the shapes and types that a node makes of inputs of the known shapes."""
    tensors = node.arguments.keras_tensors
    as_built = all(known[id(tensor)].shape == tuple(tensor.shape[1:]) for tensor in tensors)
    made = node.outputs if as_built else _worked_out(node, known)
    return [
        (tuple(tensor.shape[1:]), str(tensor.dtype), symbol)
        for tensor, symbol in zip(made, node.outputs, strict=True)
    ]


def _worked_out(node: Any, known: dict[int, Tensor]) -> list[Any]:
    layer = node.operation
    stand_ins = {}
    for tensor in node.arguments.keras_tensors:
        shape = (tensor.shape[0], *known[id(tensor)].shape)
        stand_ins[id(tensor)] = keras.KerasTensor(shape, dtype=tensor.dtype)
    _check_fixed_axes(layer, list(stand_ins.values()))
    arguments, keywords = node.arguments.fill_in(stand_ins)
    try:
        made = keras.tree.flatten(layer.compute_output_spec(*arguments, **keywords))
    except Exception as error:
        raise ValueError(_refusal(layer, stand_ins.values(), error)) from error
    for tensor in made:
        if any(size is not None and size < 1 for size in tensor.shape):
            raise ValueError(_refusal(layer, stand_ins.values(), "nothing would be left"))
    return made


def _check_fixed_axes(layer: Any, inputs: list[Any]) -> None:
    """Refuse what Keras would refuse in a real call: a dense layer that gets another length."""
    for spec, tensor in zip(
        keras.tree.flatten(getattr(layer, "input_spec", None)), inputs, strict=False
    ):
        for axis, size in (getattr(spec, "axes", None) or {}).items():
            if size is not None and tensor.shape[axis] not in (None, size):
                raise ValueError(_refusal(layer, inputs, f"axis {axis} must be {size}"))


def _refusal(layer: Any, inputs: Any, why: Any) -> str:
    shapes = ", ".join(str(tuple(tensor.shape[1:])) for tensor in inputs)
    reason = str(why).splitlines()[0] if str(why) else type(why).__name__
    return (
        f"input_shape: layer {layer.name!r} cannot take {shapes} ({reason}). Pass a shape that "
        "the model was made for."
    )
