"""The layers of a model that have weights, by name, and what precedes them in its graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras

from keras_convnets.keras_private import all_layers, first_inputs, is_outline, operation_of
from keras_convnets.naming import scope_of_input
from keras_convnets.received import shown


class Maps(NamedTuple):
    """The feature maps before a flatten; rows and columns may be unknown."""

    rows: int | None
    cols: int | None
    channels: int


def layers_of(model: keras.Model) -> dict[str, Any]:
    """Return the layers of a model that have weights, in its order, by name without the scope.

    Those of models within it are among them.

    Raises:
        ValueError: if two layers have the same name.
    """
    found: dict[str, Any] = {}
    for name, layer in _with_weights(model):
        if found.setdefault(name, layer) is not layer:
            raise ValueError(
                f"model: received {shown(model.name)}, in which two layers are called {name!r}; "
                "expected each name once. Pass one of the models within it: "
                "model.get_layer('name')."
            )
    return found


def weights_of(layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights of layers as ``layer/variable``, such as ``conv1_conv/kernel``."""
    return {
        f"{name}/{variable}": weight
        for name, layer in layers.items()
        for variable, weight in variables_of(layer).items()
    }


def check_has_values(model: keras.Model, layers: Mapping[str, Any]) -> None:
    """Refuse a model that has no weights, or weights without values.

    Raises:
        ValueError: it is so.
    """
    if not layers:
        raise ValueError(
            f"model: received {shown(model.name)}, which has no weights; expected a model that is "
            "built. Call it on a batch of images first."
        )
    if is_outline(model):
        raise ValueError(
            f"model: received {shown(model.name)}, whose weights have no values; expected a model "
            "that was built outside keras.StatelessScope. Build it again."
        )


def scope_of(model: Any) -> str:
    """Return the prefix of the names of a network that was built in a scope; empty for others."""
    scopes = [scope_of_input(tensor.name) for tensor in getattr(model, "inputs", None) or ()]
    return f"{scopes[0]}_" if len(scopes) == 1 and scopes[0] else ""


def layers_and_scopes(model: Any) -> Iterator[tuple[Any, str]]:
    """Yield the layers of a model, those of models within it too, each with its `scope_of`."""
    scope = scope_of(model)
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_and_scopes(layer)
        else:
            yield layer, scope


def _with_weights(model: Any) -> Iterator[tuple[str, Any]]:
    for layer, scope in layers_and_scopes(model):
        for inner in all_layers(layer):  # those that a wrapper has, too
            if inner.weights and len(all_layers(inner)) == 1:
                yield inner.name.removeprefix(scope), inner


def variables_of(layer: Any) -> dict[str, Any]:
    """Return the weights of a layer by the last part of their path: ``kernel``, ``gamma``."""
    return {variable.path.rsplit("/", 1)[-1]: variable for variable in layer.weights}


def before(layer: Any) -> Any | None:
    """Return the layer whose output a layer takes; ``None`` if there is none, or are several."""
    inputs = first_inputs(layer)
    return operation_of(inputs[0]) if len(inputs) == 1 else None


def flattened(layer: Any) -> Maps | None:
    """Return the feature maps whose flattened values a dense layer takes; ``None`` if it does not.

    Between them, there may be layers that change no shape, such as dropout. Their order is that of
    ``channels_last`` in either data format.
    """
    previous = before(layer)
    while previous is not None and not isinstance(previous, keras.layers.Flatten):
        if getattr(previous, "weights", None) or not _keeps_shape(previous):
            return None
        previous = before(previous)
    if previous is None:
        return None
    shape = first_inputs(previous)[0].shape
    if len(shape) != 4:
        return None
    if previous.data_format == "channels_first":
        return Maps(shape[2], shape[3], shape[1])
    return Maps(shape[1], shape[2], shape[3])


def _keeps_shape(layer: Any) -> bool:
    inputs = first_inputs(layer)
    return len(inputs) == 1 and tuple(inputs[0].shape) == tuple(layer.output.shape)
