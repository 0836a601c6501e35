"""A run that was begun, compared with a request to go on with it; no TensorFlow is needed."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_convnets.image_config import NAMES
from keras_convnets.own_networks import is_file
from keras_convnets.received import shown
from keras_convnets.training.data import arguments
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_config import RequestFacts, RunConfig
from keras_convnets.weights.published.published import is_name

if TYPE_CHECKING:
    from keras_convnets.training.run.request import RunRequest

MAY_DIFFER = {"out", "or_resume", "given", "devices", "data_dir", "time_limit"}
"""Fields of requests that say where and how to go on; all others must be those of the run."""

OPTIONS = {"network": "model", "name": "data", "source": "recipe", "or_resume": "continues"}
"""The options whose names are not those of their fields."""

_FLAGS = {"continues": "continue"}
NESTED = ("data", "recipe", "settings")


def check_same_request(request: RunRequest) -> None:
    """Refuse a request whose given options differ from those that the run was begun with.

    Raises:
        ValueError: some differ; all of them are named.
    """
    config = config_file.read(request.folder).to_dict()
    different = {}
    for option, value in _given(request):
        kept = _kept(config, option)
        if kept and stored_value(option, value) not in kept:
            different[option] = (kept[0], value)
    if "recipe" in different:  # which says enough about values that were not given on their own
        asked = {"recipe", *(request.given or ())}
        of_recipe = {field.name for field in dataclasses.fields(Recipe)}
        different = {o: pair for o, pair in different.items() if o in asked or o not in of_recipe}
    if different:
        words = [
            f"{flag(option)} {_in_words(kept)} (received {_in_words(value)})"
            for option, (kept, value) in different.items()
        ]
        raise ValueError(
            f"continue: {str(request.folder)!r} was begun with {', '.join(words)}. Leave out what "
            "differs, or start a new run in another folder."
        )


def is_network_of(config: RunConfig, network: str) -> bool:
    """Return whether a run trains the network of a name: its model's, or that it was built by."""
    asked = None if config.request is None else config.request.network
    return network == config.model.name or stored_value("network", network) == asked


def recorded(request: RunRequest) -> RequestFacts:
    """Return what a run's ``config.json`` keeps of its request beside data, recipe and settings."""
    names = [field.name for field in dataclasses.fields(RequestFacts)]
    values = {
        name: stored_value(name, getattr(request, name)) for name in names if hasattr(request, name)
    }
    return RequestFacts(
        **values
        | {
            "load": tuple(values["load"]),
            "load_paths": tuple(str(file.absolute()) for file in request.load),
            "strategy": request.devices.strategy,
            "workers": request.devices.workers,
        }
    )


def flag(option: str) -> str:
    """Return an option as it is given: ``--batch-size`` for ``batch_size``."""
    return f"--{_FLAGS.get(option, option).replace('_', '-')}"


def stored_value(option: str, value: Any) -> Any:
    """Return a value as it is kept in JSON, with paths that are valid from anywhere."""
    if option == "load":  # their folder may be another
        return [file.name for file in value]
    if option in ("model", "network") and value is not None:
        return os.path.abspath(value) if is_file(value) else value
    if option == "data":
        return arguments.anywhere(value)
    if option == "preprocessing" and value not in (None, *NAMES):
        return os.path.abspath(value)
    if option == "weights" and value is not None:
        is_published = is_name(value) and not os.path.exists(value)
        return value if is_published else os.path.abspath(value)
    return json.loads(json.dumps(value, default=lambda path: str(Path(path).absolute())))


def _in_words(value: Any) -> str:
    return shown(str(value) if isinstance(value, Path) else value)


def _given(request: RunRequest) -> Iterator[tuple[str, Any]]:
    """Yield the options that were given, in the order of their fields, with their values."""
    plain: Any = type(request)()
    parts: list[tuple[Any, Any]] = [(request, plain)]
    parts += [(getattr(request, name), getattr(plain, name)) for name in NESTED]
    seen = MAY_DIFFER | set(NESTED)
    for part, default in parts:
        names = [field.name for field in dataclasses.fields(part)]
        options = {name: OPTIONS.get(name, name) for name in names if name not in seen}
        if request.given is None:
            given = {o for n, o in options.items() if getattr(part, n) != getattr(default, n)}
        else:
            given = set(request.given)
        if isinstance(part, Recipe) and ((request.given is None and given) or "recipe" in given):
            given |= set(options.values())  # a recipe is all its values
        for name, option in options.items():
            if option in given:
                seen.add(name)
                yield option, getattr(part, name)


def _kept(config: Mapping[str, Any], option: str) -> list[Any]:
    """Return the values that an option may have for a run; none if the run does not tell."""
    model, data = config["model"], config["data"]
    names = {option: name for name, option in OPTIONS.items()}
    name = names.get(option, option)
    places = (
        config.get("request") or {},
        config["recipe"],
        config["settings"],
        data.get("arguments") or {},
    )
    found = [place[name] for place in places if name in place]
    if option == "model":
        return [*filter(None, found), model["name"]]
    if option == "augmentation":
        return [data["augmentation"], *found]
    if option == "channels":
        return [config["preprocessing"]["channels"]]
    if option == "image_size":
        rows, cols = (config["preprocessing"][of] for of in ("rows", "cols"))
        return [rows if rows == cols else [rows, cols]]
    return found
