"""How the layers of a model in a ``.keras`` file compute: its configuration says it.

The names and shapes of its weights alone do not tell networks apart that stride elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from keras_convnets import files, naming
from keras_convnets.naming import scope_of_input
from keras_convnets.received import shown
from keras_convnets.weights.placing.head_layers import is_head
from keras_convnets.weights.placing.model_layers import layers_and_scopes

Settings = Mapping[str, Mapping[str, Any]]  # of each layer, by its name without the scope

_CLASS = "class_name"
_JOINS = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
_PLAIN = (str, bool, int, float)


def settings_in(config: Any) -> dict[str, dict[str, Any]]:
    """Return the settings of the layers in the configuration of a model, which may be anybody's."""
    found: dict[str, dict[str, Any]] = {}
    rest = [config]
    while rest:
        own = _config(rest.pop())
        layers = own.get("layers")
        inside = [one for one in layers if _config(one)] if isinstance(layers, list) else []
        rest += inside
        names = [name for one in inside if isinstance(name := _config(one).get("name"), str)]
        scopes = {scope for name in names if (scope := scope_of_input(name))}
        prefix = f"{scopes.pop()}_" if len(scopes) == 1 else ""
        found |= {
            _config(one)["name"].removeprefix(prefix): _config(one)
            | {_CLASS: one.get("class_name")}
            for one in inside
            if isinstance(_config(one).get("name"), str) and "layers" not in _config(one)
        }
    return found


def check_settings(
    file: str | os.PathLike[str],
    settings: Settings,
    model: keras.Model,
    compared: tuple[str, ...],
    strict: bool,
) -> None:
    """Refuse a file whose model has the layers of a model, but computes something else with them.

    Args:
        file: the path of the file, for the error.
        settings: those of the layers in the file.
        model: the model.
        compared: the settings that matter.
        strict: whether the file is to have all of the model.

    Raises:
        ValueError: a setting of a layer differs, or where branches are joined.
    """
    if strict and settings:
        _check_joins(file, settings, model)
    for name, layer in _named(model):
        if name not in settings or is_head(name):
            continue
        there, here = settings[name], layer.get_config()
        for what in compared:
            if what in there and what in here and _differ(there[what], here[what]):
                raise ValueError(
                    f"weights: received {files.shown(file)}, in which {name} has {what}="
                    f"{shown(there[what])}; expected {shown(here[what])} as in {model.name}: "
                    "another network computes something else with them even where all names and "
                    "shapes agree. Build the network that the file is of."
                )


def _check_joins(file: str | os.PathLike[str], settings: Settings, model: keras.Model) -> None:
    """Refuse a file whose model joins branches where a model does not, or the other way round."""
    there = {name for name, one in settings.items() if one.get(_CLASS) in _JOINS}
    here = {name for name, layer in _named(model) if type(layer).__name__ in _JOINS}
    ours = [name for name in sorted(there ^ here) if naming.parse(name) and not is_head(name)]
    if ours:
        has = "with" if ours[0] in there else "without"
        raise ValueError(
            f"weights: received {files.shown(file)}, of a model {has} the layer {shown(ours[0])}, "
            f"which joins branches; expected the connections of {model.name}: another network "
            "computes something else even where all names and shapes agree. Build the network "
            "that the file is of."
        )


def _named(model: Any) -> Iterator[tuple[str, Any]]:
    return ((layer.name.removeprefix(scope), layer) for layer, scope in layers_and_scopes(model))


def _differ(there: Any, here: Any) -> bool:
    there, here = _tuple(there), _tuple(here)
    return there is not None and here is not None and there != here


def _tuple(value: Any) -> tuple[Any, ...] | None:
    """Return a plain value or several; ``None`` for any other, such as a function."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return values if all(isinstance(one, _PLAIN) for one in values) else None


def _config(layer: Any) -> dict[str, Any]:
    found = layer.get("config") if isinstance(layer, dict) else None
    return found if isinstance(found, dict) else {}
