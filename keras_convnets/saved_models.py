"""Models in files, however deep their graphs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

import keras_convnets.layers  # noqa: F401 - Keras finds layers in a file once they are known
from keras_convnets.recursion import room_for

_DEEPEST = 50_000  # calls of the deepest model that can be opened


def load_model(file: str | os.PathLike[str]) -> keras.Model:
    """Return the model in a ``.keras`` file, not compiled.

    Raises:
        Exception: whatever a file that holds no model leads Keras to.
    """
    with room_for(_DEEPEST):
        return keras.models.load_model(file, compile=False)


def without_optimizer(model: keras.Model) -> keras.Model:
    """Return the same graph, of the same layers, as a model that is not compiled.

    A copy and a file of a compiled model have its optimizer.
    """
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return keras.Model(model.input, model.output, name=model.name)


def opens_with_keras(model: keras.Model) -> keras.Model:
    """Return a model to save: not compiled if only this package knows the class of its optimizer.

    ``keras.models.load_model`` reads such a file without this package, unless the network itself
    has layers of ours.
    """
    config = keras.saving.serialize_keras_object(model.optimizer)
    return without_optimizer(model) if _names_us(config) else model


def _names_us(config: Any) -> bool:
    """Return whether a class of this package is anywhere in a configuration of Keras'."""
    if isinstance(config, dict):
        registered = str(config.get("registered_name"))
        return registered.startswith("keras_convnets>") or any(map(_names_us, config.values()))
    return False


def is_file(name: str | os.PathLike[str]) -> bool:
    """Return whether a model's name is that of a file rather than of a network."""
    return Path(name).suffix in (".keras", ".h5")


def open_file(name: str | os.PathLike[str]) -> keras.Model:
    """Return the model in a ``.keras`` file that a user names.

    Raises:
        ValueError: there is no such file, or it holds no model.
    """
    shown = str(name)
    if not Path(name).is_file():
        raise ValueError(f"model: received {shown!r}; there is no such file. Name one that exists.")
    try:
        return load_model(name)
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise ValueError(
            f"model: cannot read {shown!r} ({reason[0] if reason else type(error).__name__}). "
            "Expected a model that was saved by model.save('model.keras')."
        ) from error
