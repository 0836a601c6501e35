"""What a model knows of its images and classes: it goes with its weights, into its files too.

A ``.keras`` file has it beside what Keras keeps of how a model is built, which Keras reads only for
models that are not built yet. So ``model.save`` writes it, Keras alone can still read the file, and
`saved_models.load_model` returns a model that knows it again.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_convnets.received import shown

KEY = "keras_convnets"
_ATTRIBUTE = "_keras_convnets_known"
_BUILD_CONFIG = "build_config"
_PLAIN = (str, bool, int, float, type(None))


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a model.

    Attributes:
        weights: the name of its weights, such as ``"timm/resnet50.a1_in1k"``; ``None`` if unknown.
        preprocessing: the configuration of its ``Preprocessing``; ``None`` if unknown.
        class_names: the names of its classes, by label; ``None`` if unknown.
    """

    weights: str | None = None
    preprocessing: dict[str, Any] | None = None
    class_names: tuple[str, ...] | None = None


def known(model: Any) -> Known:
    """Return what is known of a model; all is ``None`` for one that has nothing of it."""
    return getattr(model, _ATTRIBUTE, Known())


def remember(model: keras.Model, what: Known) -> None:
    """Let a model know of its images and classes; its saved files and its copies know it too."""
    own = {
        _ATTRIBUTE: what,
        "get_build_config": functools.partial(_build_config, model),
        "__reduce__": functools.partial(_reduced, model),  # for pickle and copy.deepcopy
    }
    for name, value in own.items():
        object.__setattr__(model, name, value)  # Keras would track it as a part of the model


def pass_on(source: keras.Model, target: keras.Model, class_names: bool = True) -> None:
    """Let a copy of a model know what the model knows."""
    what = known(source)
    remember(target, what if class_names else dataclasses.replace(what, class_names=None))


def _build_config(model: Any) -> Any:
    config = type(model).get_build_config(model)
    if known(model) == Known() or not model.built:
        return config
    return (config or {}) | {KEY: to_plain(known(model))}


def _reduced(model: Any) -> tuple[Any, ...]:
    of_its_class: Any = type(model)
    restore, arguments = of_its_class.__reduce__(model)
    return _restored, (restore, arguments, known(model))


def _restored(restore: Callable[..., Any], arguments: tuple[Any, ...], what: Known) -> Any:
    model = restore(*arguments)
    remember(model, what)
    return model


def from_file(config: Any) -> Known:
    """Return what the configuration in a ``.keras`` file, which may be anybody's, says of a model.

    Keys that this version does not know are ignored.

    Raises:
        ValueError: it says something that cannot be known of a model.
    """
    found = plain_in(config)
    return Known() if found is None else from_plain(found)


def plain_in(config: Any) -> Any:
    """Return what `from_plain` takes of the configuration in a file; ``None`` if it has nothing."""
    build_config = config.get(_BUILD_CONFIG) if isinstance(config, dict) else None
    return build_config.get(KEY) if isinstance(build_config, dict) else None


def to_plain(what: Known) -> dict[str, Any]:
    """Return what is known of a model as plain data that JSON can represent."""
    names = what.class_names
    return dataclasses.asdict(what) | {"class_names": None if names is None else list(names)}


def from_plain(found: Any) -> Known:
    """Return what plain data, which may be anybody's, says of a model.

    Raises:
        ValueError: it says something that cannot be known of a model.
    """
    if not isinstance(found, dict):
        raise _wrong("", found, "a JSON object")
    weights, names = found.get("weights"), found.get("class_names")
    if not isinstance(weights, str | None):
        raise _wrong("weights", weights, "a name")
    if names is not None and not _are_names(names):
        raise _wrong("class_names", names, "a list of names")
    preprocessing = _plain(found.get("preprocessing"))
    return Known(weights, preprocessing, None if names is None else tuple(names))


def _are_names(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _plain(config: Any) -> dict[str, Any] | None:
    """Return a configuration of ``Preprocessing``, which checks the values."""
    if config is None:
        return None
    if not isinstance(config, Mapping):
        raise _wrong("preprocessing", config, "a JSON object")
    for name, value in config.items():
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, _PLAIN) for item in items):
            raise _wrong(f"preprocessing.{name}", value, "a number, a word or a list of numbers")
    return dict(config)


def check_outputs(model: Any) -> None:
    """Refuse a model that knows the names of other classes than it has outputs.

    Raises:
        ValueError: the numbers differ.
    """
    names = known(model).class_names
    outputs = {output.shape[-1] for output in getattr(model, "outputs", [])}  # code has none
    if (
        names is None
        or not outputs
        or len(names) in outputs
        or (outputs == {1} and len(names) == 2)
    ):
        return
    has = " and ".join(map(str, sorted(map(str, outputs))))
    raise ValueError(f"{KEY}.class_names: {len(names):,} names for a model of {has} outputs")


def _wrong(where: str, value: Any, expected: str) -> ValueError:
    name = f"{KEY}.{where}".rstrip(".")
    return ValueError(f"{name}: received {shown(value)}; expected {expected}")
