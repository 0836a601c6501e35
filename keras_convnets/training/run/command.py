"""The exact command that repeats a run, or for a run begun in Python the call."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_convnets.training.recipe.named import named
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.begun import NESTED, OPTIONS, flag, stored_value
from keras_convnets.training.run.request import ResumeRequest, RunRequest
from keras_convnets.training.run.request_parts import DataRequest, Devices
from keras_convnets.training.run.run_config import RunConfig

_DEFAULT_RECIPE = "quick"
_TIME = "time_limit"
_WRITTEN = (bool, int, float, str, type(None))  # arguments of an optimizer that an option gives


def command(request: RunRequest) -> list[str]:
    """Return the arguments of ``keras-convnets`` that make a request, with paths from anywhere.

    Every value that is not the default is an option; none is listed here, for the fields of the
    request name them.

    Raises:
        ValueError: the recipe has values that no options give.

    Examples:
        >>> from keras_convnets.training import RECIPES, RunRequest
        >>> command(RunRequest("lenet_5", recipe=RECIPES["quick"].replace(epochs=3)))
        ['train', '--model', 'lenet_5', '--epochs', '3']
    """
    options = dict(_changed(request, RunRequest())) | _of_recipe(request)
    for part, default in (
        (request.data, DataRequest()),
        (request.settings, Settings()),
        (request.devices, Devices()),
    ):
        options |= {name: value for name, value in _changed(part, default) if name not in options}
    return ["train", *_line(options)]


def where(request: RunRequest | ResumeRequest) -> list[str]:
    """Return the words of the options that may be others when a run goes on."""
    options = dict(_changed(request.devices, Devices()))
    if isinstance(request, RunRequest):
        options |= {"data_dir": request.data.data_dir, "load": request.load}
    else:
        options |= {"data_dir": request.data_dir, "model": request.network}
        options |= {"time_limit": request.time_limit}
    return _line({name: value for name, value in options.items() if value})


def _line(options: Mapping[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in _words(name, value)]


def _changed(part: Any, default: Any) -> Iterator[tuple[str, Any]]:
    """Yield the options whose values are not those of a default, with their values."""
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if field.name not in (*NESTED, "devices", "given") and value != getattr(
            default, field.name
        ):
            yield OPTIONS.get(field.name, field.name), value


def _of_recipe(request: RunRequest) -> dict[str, Any]:
    found = named(request.recipe)
    if found is None:
        raise ValueError("recipe: no options of the command make it.")
    name, changes = found
    return ({"recipe": name} if name != _DEFAULT_RECIPE else {}) | changes


def _words(option: str, value: Any) -> list[str]:
    """Return the words of an option on a command line."""
    name = flag(option)
    if isinstance(value, bool):
        return [name if value else f"--no-{name.removeprefix('--')}"]
    if isinstance(value, tuple) and all(isinstance(each, Path) for each in value):
        return [word for file in value for word in _words(option, file)]
    value = str(value.absolute()) if isinstance(value, Path) else stored_value(option, value)
    text = _time(value) if option == "time_limit" else _text(value)
    return [f"{name}={text}"] if text.startswith("-") else [name, text]


def _time(seconds: float) -> str:
    """Return a time with its units, as the command takes it."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}m{rest:.6f}".rstrip("0").rstrip(".") + "s"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        texts = [*value, *map(str, value.values())]
        is_plain = all(isinstance(each, _WRITTEN) for each in value.values())
        if not is_plain or any("," in text for text in texts) or any("=" in name for name in value):
            raise ValueError(f"received {value!r}, which no options give.")
        return ",".join(f"{name}={each}" for name, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclasses.dataclass(frozen=True)
class Repetition:
    """How to repeat a run.

    Attributes:
        command: the command, quoted for a shell; ``None`` if there is none.
        call: the call in Python that began the run, if a command cannot repeat it.
    """

    command: str | None = None
    call: str | None = None

    def __str__(self) -> str:
        return self.command or self.call or ""


def repetition(config: RunConfig) -> Repetition:
    """Return how to repeat a run, in a new folder."""
    request = requested(config)
    if request is None:
        return Repetition(call=_call(config))
    try:
        return Repetition(shlex.join(["keras-convnets", *command(request)]))
    except ValueError:  # an earlier version has begun it with values that have no effect
        return Repetition(call=_call(config))


def requested(config: RunConfig) -> RunRequest | None:
    """Return the request that began a run; ``None`` if it was begun in Python.

    Raises:
        ValueError: an earlier version has begun it with values that are refused now.
    """
    facts, arguments = config.request, config.data.arguments
    if facts is None or arguments is None:
        return None
    is_chief = None if facts.workers is None else 0
    return RunRequest(
        **_fields(RunRequest, facts)
        | {
            "load": tuple(map(Path, facts.load_paths or facts.load)),
            "data": DataRequest(**_fields(DataRequest, arguments)),
            "recipe": config.recipe,
            "settings": config.settings,
            "devices": Devices(facts.strategy, facts.workers, is_chief),
        }
    )


def _fields(kind: Any, facts: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that the facts have too."""
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: getattr(facts, name) for name in names if hasattr(facts, name)}


def _call(config: RunConfig) -> str:
    """Return the call that began a run in Python."""
    arguments = config.data.arguments
    data = "data"
    if arguments is not None:
        given = _fields(DataRequest, arguments) | {"seed": arguments.seed}
        default = vars(DataRequest()) | {"seed": 0, "name": None}
        changed = {name: value for name, value in given.items() if value != default[name]}
        data = f"load_data({changed.pop('name')!r}{_keywords(changed)})"
    found = named(config.recipe)
    recipe = repr(config.recipe) if found is None else f"RECIPES[{found[0]!r}]"
    if found is not None and found[1]:
        recipe += f".replace({_keywords(found[1])[2:]})"
    settings = _keywords(dict(_changed(config.settings, Settings())))[2:]
    return f'train(model, {data}, "run", {recipe}, Settings({settings}))'


def _keywords(values: dict[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in values.items())
