"""The new model: twins of all layers that stay, called in the same order."""

from __future__ import annotations

import inspect
import tempfile
import warnings
from typing import Any

import keras

from keras_convnets.graph.functional import graph_of, nodes_of
from keras_convnets.keras_private import all_layers, is_keras_own, trusting
from keras_convnets.printable import cut
from keras_convnets.received import line
from keras_convnets.shipping.folding import targets
from keras_convnets.shipping.folding.graphs import is_open
from keras_convnets.shipping.folding.passing import computes_as_its_class, is_own_layer
from keras_convnets.shipping.folding.plan import Plan

_FUNCTIONS = ("activation", "recurrent_activation", "function")
_INITIALIZER = "_initializer"
_MOST = 300  # letters of an error of Keras


def rebuilt(model: Any, plan: Plan) -> keras.Model:
    """Return a model without the normalisations that the plan folds, with weights of its own."""
    builder = _Builder(plan)
    result = builder.model(model)
    builder.set_weights()
    return result


class _Builder:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._twins: dict[Any, Any] = {}

    def model(self, model: Any) -> keras.Model:
        """Return the twin of a functional model."""
        graph = graph_of(model)
        known: dict[int, Any] = {}
        for node in nodes_of(graph):
            given = node.arguments.keras_tensors
            if node.is_input:
                made = self._twin(node.operation).output
            elif self._plan.is_gone(node.operation):
                made = known[id(given[0])]
            else:
                arguments, keywords = node.arguments.fill_in(known)
                made = self._twin(node.operation)(*arguments, **keywords)
            tensors = keras.tree.flatten(made)
            known.update(zip(map(id, node.outputs), tensors, strict=True))
        inputs, outputs = (
            keras.tree.map_structure(lambda tensor: known[id(tensor)], structure)
            for structure in (graph.input, graph.output)
        )
        return keras.Model(inputs, outputs, name=model.name, trainable=model.trainable)

    def _twin(self, layer: Any) -> Any:
        if layer not in self._twins:
            self._twins[layer] = self.model(layer) if is_open(layer) else self._copied(layer)
        return self._twins[layer]

    def _copied(self, layer: Any) -> Any:
        """Return a layer of the same configuration, which is not built yet."""
        functions = _functions(layer)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`")
                config = layer.get_config()
            kind = type(layer)
            if layer in self._plan.weights:
                config, kind = targets.folded(config), targets.twin_class(layer)
            if not computes_as_its_class(layer):
                raise ValueError("its call was replaced")
            config |= {name: made for name, made in functions.items() if name != "function"}
            with trusting():
                twin = kind.from_config(_blank(layer, config))
        except Exception as error:
            raise _cannot_copy(layer, error) from error
        for name, function in functions.items():
            setattr(twin, name, function)  # one that is read from its code has lost what is around
        return twin

    def set_weights(self) -> None:
        """Give the twins the weights of their layers, or those that the plan has for them."""
        for layer, twin in self._twins.items():
            if targets.has_kernel(layer):
                _restore_initializers(layer, twin)
            if weights := self._plan.weights.get(layer):
                for name, values in weights.arrays().items():
                    getattr(twin, name).assign(values)
            elif isinstance(layer, keras.Layer) and not is_open(layer):
                _copy_state(layer, twin)
                _check_remembers(layer, twin)


def _check_remembers(layer: Any, twin: Any) -> None:
    """Refuse a layer whose configuration lacks a number or a word that it has."""
    if is_own_layer(layer):
        return
    for name, value in vars(layer).items():
        is_plain = isinstance(value, bool | int | float | str) and not name.startswith("_")
        if is_plain and name in vars(twin) and vars(twin)[name] != value:
            lost = ValueError(f"its configuration forgets {name!r}, which is {value!r}")
            raise _cannot_copy(layer, lost)


def _copy_state(layer: Any, twin: Any) -> None:
    try:
        for one, other in zip(all_layers(layer), all_layers(twin), strict=True):
            store: dict[str, Any] = {}
            one.save_own_variables(store)
            if store:
                other.load_own_variables(store)
            if hasattr(one, "save_assets"):
                with tempfile.TemporaryDirectory() as folder:
                    one.save_assets(folder)
                    other.load_assets(folder)
    except Exception as error:
        raise _cannot_copy(layer, error) from error


def _cannot_copy(layer: Any, error: Exception) -> ValueError:
    why = cut(line(str(error)), _MOST)
    return ValueError(
        f"model: received one with {layer.name!r}, a {type(layer).__name__} that cannot be copied "
        f"({why}); expected layers that from_config(get_config()) makes again. Give the class a "
        "get_config."
    )


def _blank(layer: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration whose kernels begin as zeros: quicker, as other values follow."""
    if not _begins_blank(layer):
        return config
    return config | {key: "zeros" for key in config if key.endswith(_INITIALIZER)}


def _restore_initializers(layer: Any, twin: Any) -> None:
    """Let a twin that began as zeros say that it begins as its layer."""
    if _begins_blank(layer):
        for key in layer.get_config():
            if key.endswith(_INITIALIZER):
                setattr(twin, key, getattr(layer, key))


def _begins_blank(layer: Any) -> bool:
    return targets.has_kernel(layer) and is_own_layer(layer)


def _functions(layer: Any) -> dict[str, Any]:
    """Return the user's own functions that a layer has, by attribute."""
    found = {name: vars(layer).get(name) for name in _FUNCTIONS}
    return {
        name: value
        for name, value in found.items()
        if inspect.isfunction(value) and not is_keras_own(value)
    }
