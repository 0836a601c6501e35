"""All that this package takes from Keras' inside: no other file touches what Keras keeps private.

Keras 3.12 to 3.15 have been read for each of these. Whoever moves to another version reads this
file, and runs ``tests/test_keras_private.py``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.utils.naming import to_snake_case

Tensor = Any
Named = Callable[[Any, bool], None]

# --- The graph of a functional model. `model.operations` lists its layers, but Keras has no public
# --- way to ask which call of a layer made a tensor, nor for the calls themselves.


def operation_of(tensor: Tensor) -> Any:
    """Return the layer or operation that made a symbolic tensor."""
    return tensor._keras_history.operation


def node_of(tensor: Tensor) -> Any:
    """Return the call that made a symbolic tensor: Keras' node, with its ``parent_nodes``."""
    operation, node_index, _ = tensor._keras_history
    return operation._inbound_nodes[node_index]


def named_by_keras(operation: Any) -> bool:
    """Return whether an operation's name is one that Keras gives: its class, and a number or none.

    Keras does not say who named it. `watched` knows it of what is made inside.
    """
    kind = to_snake_case(type(operation).__name__)
    return re.fullmatch(f"{kind}(_[0-9]+)?", operation.name) is not None


def was_called(operation: Any) -> bool:
    """Return whether an operation is in some model's graph already."""
    return bool(operation._inbound_nodes)


def graph_inside(model: Any) -> Any:
    """Return the graph of a functional model, or ``None``; a ``Sequential`` keeps it inside."""
    if not isinstance(model, keras.Model):
        return None
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_by_depth(graph: Any) -> dict[int, list[Any]]:
    """Return the calls of a graph by their distance from its outputs."""
    return graph._nodes_by_depth


def inputs_structure(graph: Any) -> Any:
    """Return the inputs of a graph as they were given to ``keras.Model``: one, a list, by name."""
    return getattr(graph, "_inputs_struct", None)


def all_layers(model: Any) -> list[Any]:
    """Return a model, its layers and the layers within them.

    ``model.layers`` has the outermost alone, and a layer that holds layers has no public list.
    """
    return model._flatten_layers()


# --- Names. A layer is named when it is made, and its weights by its name when it is built; Keras
# --- numbers the layers that nobody names through the whole process, and has no hook for names.


@contextlib.contextmanager
def watched(made: Named, first_used: Callable[[Any], None]) -> Iterator[None]:
    """Tell of the operations that are made and used inside, early enough to name them.

    What happens within a layer's own ``build`` and ``call`` is the layer's affair and is not told.

    Args:
        made: is called with each new layer or operation, and whether Keras named it.
        first_used: is called with a layer before it is built or called, each time.
    """
    stock_init, stock_scope = keras.Operation.__init__, keras.layers.Layer._open_name_scope

    # The parameters have Keras' names: it reads the signature of an operation's `__init__`.
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

    token = _watchers.set((made, first_used))  # of this thread: others make layers as ever
    keras.Operation.__init__, keras.layers.Layer._open_name_scope = init, open_name_scope
    try:
        yield
    finally:
        keras.Operation.__init__, keras.layers.Layer._open_name_scope = stock_init, stock_scope
        _watchers.reset(token)


_watchers: ContextVar[tuple[Named, Callable[[Any], None]] | None]
_watchers = ContextVar("watchers", default=None)


# --- Weights without values. Keras makes the values of such weights later, when it makes any; until
# --- `keras.Model` can be built of shapes alone, this takes them out of its list.


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Make weights without values inside: enough for names, shapes and counts, and much faster."""
    with values_forgotten(), keras.StatelessScope(initialize_variables=False):
        yield


@contextlib.contextmanager
def values_forgotten() -> Iterator[None]:
    """Let weights that got no value inside stay so: Keras would make it with the next weights'."""
    before = {id(variable) for variable in _without_value()}
    try:
        yield
    finally:
        waiting = [variable for variable in _without_value() if id(variable) in before]
        global_state.set_global_attribute("uninitialized_variables", waiting)


def _without_value() -> list[Any]:
    return global_state.get_global_attribute("uninitialized_variables", [])


# --- Optimizers. Keras gives all variables one learning rate and decays them all at it; a subclass
# --- can do otherwise only by the methods below.


class FactoredSGD(keras.optimizers.SGD):
    """Keras' SGD at the learning rate times a factor of each variable's own, decay included."""

    def factor(self, index: int) -> float:
        """Return the factor of a variable, by its number among those that are trained."""
        raise NotImplementedError

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable, at its own learning rate."""
        factor = self.factor(self._get_variable_index(variable))
        rate = keras.ops.cast(learning_rate, variable.dtype) * factor
        if self.weight_decay is not None and self._use_weight_decay(variable):
            self.assign_sub(variable, variable * self.weight_decay * rate)
        super().update_step(gradient, variable, rate)

    def _apply_weight_decay(self, variables: Any) -> None:
        """Do nothing: Keras would decay each variable at the same learning rate."""
