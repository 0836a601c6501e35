"""Every use of Keras' private API. No other module of the package accesses Keras internals.

Each use was checked against the source of Keras 3.12 to 3.15. Before supporting another version,
review this file and run ``tests/test_keras_private.py``.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.saving.serialization_lib import SafeModeScope
from keras.src.utils.naming import to_snake_case

Tensor = Any
Named = Callable[[Any, bool], None]

# --- The graph of a functional model. `model.operations` lists its layers, but Keras has no public
# --- way to list the calls of a layer or to find the call that produced a tensor.


def operation_of(tensor: Tensor) -> Any:
    """Return the layer or operation that produced a symbolic tensor."""
    return tensor._keras_history.operation


def node_of(tensor: Tensor) -> Any:
    """Return the call that produced a symbolic tensor: Keras' node, with its ``parent_nodes``."""
    operation, node_index, _ = tensor._keras_history
    return operation._inbound_nodes[node_index]


def first_inputs(operation: Any) -> list[Tensor]:
    """Return the symbolic tensors that an operation was first called with; none if it was not."""
    nodes = operation._inbound_nodes
    return list(nodes[0].input_tensors) if nodes else []


def named_by_keras(operation: Any) -> bool:
    """Return whether an operation's name looks automatic: its class name, perhaps with a number.

    Keras does not record whether a name was given. Within `watched` it is known exactly.
    """
    kind = to_snake_case(type(operation).__name__)
    return re.fullmatch(f"{kind}(_[0-9]+)?", operation.name) is not None


def was_called(operation: Any) -> bool:
    """Return whether an operation is already part of a graph."""
    return bool(operation._inbound_nodes)


def graph_inside(model: Any) -> Any:
    """Return the graph of a functional model (for a ``Sequential``, its inner one), or ``None``."""
    if not isinstance(model, keras.Model):
        return None
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_by_depth(graph: Any) -> dict[int, list[Any]]:
    """Return the calls of a graph, keyed by their distance from its outputs."""
    return graph._nodes_by_depth


def inputs_structure(graph: Any) -> Any:
    """Return a graph's inputs as passed to ``keras.Model``: a tensor, a list or a dictionary."""
    return getattr(graph, "_inputs_struct", None)


def is_keras_own(method: Any) -> bool:
    """Return whether a method of a class is Keras' own, or one that this package has put there."""
    return str(getattr(method, "__module__", "")).split(".")[0] in ("keras", "keras_convnets")


def all_layers(model: Any) -> list[Any]:
    """Return a model, its layers and all nested layers.

    ``model.layers`` contains only the outermost layers, and nested layers have no public list.
    """
    return model._flatten_layers()


def learnt_weights(layer: Any) -> list[Any]:
    """Return the weights of a layer that training changes, in the layers within it too.

    ``layer.trainable_weights`` is empty in a frozen layer, and whether a weight would be learnt is
    not public.
    """
    return [weight for inner in layer._flatten_layers() for weight in inner._trainable_variables]


def is_training() -> bool:
    """Return whether the outermost model or layer that is being called was called to train."""
    context = global_state.get_global_attribute("current_call_ctx")
    return bool(getattr(context, "training", None))


# --- Names. A layer is named when it is created, and its weights take that name when it is built.
# --- Keras numbers unnamed layers with a process-wide counter and has no hook to change the names.


@contextlib.contextmanager
def watched(made: Named, first_used: Callable[[Any], None]) -> Iterator[None]:
    """Report operations that are created and used in the context, early enough to name them.

    Operations within a layer's own ``build`` and ``call`` are not reported.

    Args:
        made: called with each new layer or operation, and whether Keras named it.
        first_used: called with a layer each time before it is built or called.
    """
    stock_init, stock_scope = keras.Operation.__init__, keras.layers.Layer._open_name_scope

    # Keep Keras' parameter names: it inspects the signature of an operation's `__init__`.
    def init(self: Any, name: str | None = None) -> None:
        stock_init(self, name)
        if watchers := _watchers.get():
            watchers[0](self, name is None)

    @contextlib.contextmanager
    def open_name_scope(layer: Any) -> Iterator[Any]:
        watchers = _watchers.get()
        if watchers:
            watchers[1](layer)
        token = _watchers.set(None)
        try:
            with stock_scope(layer) as scope:
                yield scope
        finally:
            _watchers.reset(token)

    token = _watchers.set((made, first_used))  # in this thread only: others are unaffected
    keras.Operation.__init__, keras.layers.Layer._open_name_scope = init, open_name_scope
    try:
        yield
    finally:
        keras.Operation.__init__, keras.layers.Layer._open_name_scope = stock_init, stock_scope
        _watchers.reset(token)


_watchers: ContextVar[tuple[Named, Callable[[Any], None]] | None]
_watchers = ContextVar("watchers", default=None)


# --- Weights without values. Keras would initialise such weights later, with the next new weight.
# --- Until `keras.Model` can be built from shapes alone, they are removed from Keras' waiting list.


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Create weights without values: enough for names, shapes and counts, and much faster."""
    with values_forgotten(), keras.StatelessScope(initialize_variables=False):
        yield


@contextlib.contextmanager
def values_forgotten() -> Iterator[None]:
    """Keep weights created inside uninitialised; Keras would initialise them with the next one."""
    before = {id(variable) for variable in _without_value()}
    try:
        yield
    finally:
        waiting = [variable for variable in _without_value() if id(variable) in before]
        global_state.set_global_attribute("uninitialized_variables", waiting)


def is_outline(model: Any) -> bool:
    """Return whether a weight of a model has no value, as those made by `without_values`."""
    return any(variable._value is None for variable in model.variables)


def _without_value() -> list[Any]:
    return global_state.get_global_attribute("uninitialized_variables", [])


# --- Copies. Keras refuses to make a `Lambda` again from its configuration, which may be a file's.


def trusting() -> Any:
    """Return a context in which the configuration of a layer in memory may contain functions."""
    return SafeModeScope(safe_mode=False)


# --- Weights of a file. Keras makes what the configuration says before it reads the values.


@contextlib.contextmanager
def bounded_weights(most: int) -> Iterator[None]:
    """Refuse a weight before it is made if the weights in the context have over ``most`` values."""
    stock = keras.layers.Layer.add_weight

    def add_weight(layer: Any, *args: Any, **options: Any) -> Any:
        if room := _room.get():
            shape = options.get("shape", args[0] if args else None) or ()
            room[0] -= math.prod(shape)
            if room[0] < 0 or any(axis < 0 for axis in shape):
                raise ValueError(
                    f"the layer {layer.name!r} asks for weights of shape {tuple(shape)}, more than "
                    "the file has"
                )
        return stock(layer, *args, **options)

    token = _room.set([most])  # in this thread only: others are unaffected
    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = stock
        _room.reset(token)


_room: ContextVar[list[int] | None] = ContextVar("room", default=None)


# --- Optimizers. Keras has no public way from a variable of the model to its own in an optimizer.


def momentum_of(optimizer: Any, variable: Any) -> Any:
    """Return the momentum that an SGD keeps of a variable."""
    return optimizer.momentums[optimizer._get_variable_index(variable)]


def index_of(optimizer: Any, variable: Any) -> int:
    """Return the index of a variable among those that an optimizer was built for."""
    return optimizer._get_variable_index(variable)


def averages_of(optimizer: Any) -> list[Any]:
    """Return the moving averages that an optimizer keeps of its variables; none if it does not."""
    return list(getattr(optimizer, "_model_variables_moving_average", ()))


# --- Keras uses one learning rate for the updates and the decay of all variables. A subclass can
# --- only change that by overriding the methods below.


class FactoredSGD(keras.optimizers.SGD):
    """Keras' SGD with a learning-rate factor for each variable, which also scales its decay."""

    def factor(self, index: int) -> float:
        """Return the factor of a variable, given its index among the trained variables."""
        raise NotImplementedError

    def update_at(self, gradient: Any, variable: Any, rate: Any) -> None:
        """Update one variable at a learning rate of its own."""
        super().update_step(gradient, variable, rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable with its own learning rate."""
        factor = self.factor(self._get_variable_index(variable))
        rate = keras.ops.cast(learning_rate, variable.dtype) * factor
        if self.weight_decay is not None and self._use_weight_decay(variable):
            self.assign_sub(variable, variable * self.weight_decay * rate)
        self.update_at(gradient, variable, rate)

    def _apply_weight_decay(self, variables: Any) -> None:
        """Do nothing: Keras would decay all variables at the same learning rate."""
