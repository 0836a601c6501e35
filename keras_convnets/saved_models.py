"""Saving and loading of models of any depth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import keras

import keras_convnets.layers  # noqa: F401 - registers the layers, so that Keras can load them
from keras_convnets import own_networks
from keras_convnets.fast.layers import fast_layers
from keras_convnets.keras_private import bounded_weights
from keras_convnets.known import Known, check_outputs, from_file, pass_on, remember
from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile, damage, opened, size_of, take
from keras_convnets.readers.hdf5 import check_hdf5
from keras_convnets.readers.zips import contents, opened_zip
from keras_convnets.recursion import room_for
from keras_convnets.typed import explaining

_DEEPEST = 50_000  # the number of calls of the deepest model that can be loaded
_NOT_STORED = 1 << 20  # values of weights that a layer may have without storing them
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_SCRIPT = "__main__"
_KNOWN_PACKAGES = {"builtins", "keras", "keras_convnets"}


class UnknownLayersError(ValueError):
    """A model has layers from a module that has not been imported; the message names it."""


def read_model(file: str | os.PathLike[str]) -> keras.Model:
    """Return the model in a ``.keras`` or ``.h5`` file, without compiling it.

    The file is checked before Keras reads it, and its weights take no more memory than the values
    in it. No code in it is executed. The model knows what the file says of its images and classes.

    Raises:
        FileNotFoundError: there is no such file.
        UnknownLayersError: the model has layers that Keras does not know.
        DamagedFile: the file does not contain a model.
    """
    with opened(file) as stream, damage():
        values, what = _check(stream, zipped=Path(file).suffix != ".h5")
    try:
        with damage(), bounded_weights(values + _NOT_STORED), room_for(_DEEPEST):
            model = keras.models.load_model(file, compile=False, safe_mode=True)
            remember(model, what)
            check_outputs(model)
            return fast_layers(model)
    except DamagedFile as error:
        unknown = _unknown_classes(file)
        if not unknown:
            raise
        classes = ", ".join(f"{name} of {module}" for name, module in sorted(unknown))
        modules = sorted({module for _, module in unknown})
        files = " ".join(f"--load {_file_of(module)}" for module in modules)
        raise UnknownLayersError(
            f"model: {str(file)!r} has layers that Keras does not know: {classes}. Import their "
            f"module first, on the command line by {files}; their classes need the decorator "
            "keras.saving.register_keras_serializable()."
        ) from error


def _file_of(module: str) -> str:
    return "FILE" if module == _SCRIPT or "." in module else f"{module}.py"


def _check(stream: BinaryIO, zipped: bool) -> tuple[int, Known]:
    """Check all that is in a file of Keras.

    Returns:
        How many values its weights have, and what it knows of its images and classes.
    """
    if not zipped:
        return check_hdf5(take(stream, size_of(stream))), Known()
    with opened_zip(stream) as archive:
        what = from_file(json_text.parse(contents(archive, _CONFIG)))
        for name in archive.namelist():
            if name != _WEIGHTS:
                contents(archive, name)  # has its checksum, which Keras does not insist on
        return check_hdf5(contents(archive, _WEIGHTS)), what


def _unknown_classes(file: str | os.PathLike[str]) -> set[tuple[str, str]]:
    """Return the unregistered classes of a saved model, as pairs of name and module."""
    if Path(file).suffix == ".h5":
        return set()
    with opened(file) as stream, damage(), opened_zip(stream) as archive:
        left = [json_text.parse(contents(archive, _CONFIG))]
    unknown = set()
    while left:
        config = left.pop()
        if isinstance(config, dict):
            left += config.values()
            if _is_unknown(config):
                unknown.add((config["class_name"], config["module"] or _SCRIPT))
        elif isinstance(config, list):
            left += config
    return unknown


def _is_unknown(config: dict[str, Any]) -> bool:
    registered_name = config.get("registered_name")
    module = config.get("module", "keras")
    if module is None and registered_name:  # Keras writes none for the script that was run
        module = _SCRIPT
    if not isinstance(config.get("class_name"), str) or not isinstance(module, str):
        return False
    if not isinstance(registered_name, str | None):
        return False
    is_foreign = module.split(".")[0] not in _KNOWN_PACKAGES
    return is_foreign and keras.saving.get_registered_object(registered_name) is None


def without_optimizer(model: keras.Model) -> keras.Model:
    """Return an uncompiled model with the same graph and the same layers.

    Copying or saving a compiled model would include its optimizer.
    """
    if isinstance(model, keras.Sequential):
        graph = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    else:
        graph = keras.Model(model.input, model.output, name=model.name)
    pass_on(model, graph)
    return graph


def opens_with_keras(model: keras.Model) -> keras.Model:
    """Return the model to save: uncompiled if what it was compiled with is of this package.

    Then ``keras.models.load_model`` can read the file without this package, unless the network
    itself contains layers of this package.
    """
    return without_optimizer(model) if _names_us(model.get_compile_config()) else model


def _names_us(config: Any) -> bool:
    """Return whether a Keras configuration contains a class of this package."""
    if isinstance(config, list | tuple):
        return any(map(_names_us, config))
    if isinstance(config, dict):
        registered = str(config.get("registered_name"))
        return registered.startswith("keras_convnets>") or any(map(_names_us, config.values()))
    return False


def is_file(name: str | os.PathLike[str]) -> bool:
    """Return whether ``name`` is the name of a model file rather than of a network."""
    return own_networks.is_file(name)


@explaining
def load_model(name: str | os.PathLike[str]) -> keras.Model:
    """Return the model in a ``.keras`` file, with what the file knows of its images and classes.

    It is not compiled. The file is checked first, and nothing in it is executed.
    ``keras.models.load_model`` returns the same network, but one that does not know the
    preprocessing of its images and the names of its classes.

    Args:
        name: the file, as ``model.save`` has written it.

    Raises:
        ValueError: if there is no such file, or it does not contain a model.

    Examples:
        >>> from keras_convnets import ResnetBuilder, load_model
        >>> model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
        >>> model.save("model.keras")
        >>> load_model("model.keras").count_params() == model.count_params()
        True
    """
    shown = str(name)
    try:
        return read_model(name)
    except FileNotFoundError:
        raise ValueError(
            f"model: received {shown!r}; there is no such file. Name one that exists."
        ) from None
    except DamagedFile as error:
        raise ValueError(
            f"model: cannot read {shown!r} ({error}). Expected a model that was saved by "
            "model.save('model.keras')."
        ) from error
