"""Whether a model is the same once it is saved and loaded, as a run that is resumed needs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets import axes
from keras_convnets.keras_private import all_layers
from keras_convnets.printable import one_line
from keras_convnets.recursion import room_for

_OURS = {"keras", "keras_convnets"}
_CODE = {"Lambda", "__lambda__"}  # Keras loads no code from a file
_IMAGES = 2
_TOLERANCE = 1e-2  # of the difference between images
_ROUNDING = 1e-4  # of the largest output
_LONGEST = 200  # characters of an error of Keras


def check_reloads(model: keras.Model, image_shape: tuple[int, int, int], calls: int) -> None:
    """Refuse a model that a run could not be resumed with, before its first step.

    Models of Keras' own layers and of this package's are known to be loaded as they were saved. Of
    any other, a copy is made as a saved file would be read, and it must compute the same.

    Args:
        model: the model.
        image_shape: ``(channels, rows, cols)`` of its images.
        calls: about how many layers are called, which limits Python's recursion.

    Raises:
        ValueError: Keras cannot load the model again, or it would compute something else.
    """
    with room_for(calls):
        try:
            config = keras.saving.serialize_keras_object(model)
        except Exception as error:  # code of the user's own may raise anything
            raise _not_the_same(model, f"cannot be saved ({_reason(error)})") from error
        config.pop("compile_config", None)  # the run compiles it anew
        foreign = sorted({*_foreign(config), *_functions(model)})
        if not foreign:
            return
        drawn = random.getstate()  # Keras draws the seeds of weights from it
        try:
            again = keras.saving.deserialize_keras_object(config)
            again.set_weights(model.get_weights())
            outputs = [_outputs(one, image_shape) for one in (model, again)]
        except Exception as error:
            names = ", ".join(foreign)
            what = "cannot be loaded again once it is saved"
            reason = f"{what}, because of {names} ({_reason(error)})"
            raise _not_the_same(model, reason) from error
        finally:
            random.setstate(drawn)
    if not _are_equal(*outputs):
        what = "computes something else once it is saved and loaded"
        raise _not_the_same(model, f"{what}, because of {', '.join(foreign)}")


def _foreign(config: Any) -> Iterator[str]:
    """Yield what in a configuration is neither Keras' own nor this package's."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module", "keras")
        if name in _CODE:
            yield "a Lambda layer" if name == "Lambda" else "a lambda function"
        elif isinstance(name, str) and "config" in config:
            known = {*_OURS, "builtins"} if config.get("registered_name") != "function" else _OURS
            name = config["config"] if name == "function" else name
            module = module or "__main__"  # for which Keras writes none
            if str(module).split(".")[0] not in known:
                yield f"{name} of {module}"
        for value in config.values():
            yield from _foreign(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _foreign(value)


def _functions(model: keras.Model) -> Iterator[str]:
    """Yield the activations that are functions of the user's own, of which Keras saves the name."""
    for layer in all_layers(model):
        function = getattr(layer, "activation", None)
        module = str(getattr(function, "__module__", "keras"))
        if callable(function) and module.split(".")[0] not in _OURS:
            yield f"{getattr(function, '__name__', function)} of {module}"


def _outputs(model: keras.Model, image_shape: tuple[int, int, int]) -> np.ndarray:
    channels, rows, cols = image_shape
    images = np.random.default_rng(0).normal(size=(_IMAGES, rows, cols, channels))
    if axes.format_of(model) == "channels_first":
        images = images.transpose(0, 3, 1, 2)
    return tf.cast(model(images.astype("float32"), training=False), tf.float32).numpy()


def _are_equal(before: np.ndarray, after: np.ndarray) -> bool:
    """Return whether outputs are equal, compared with how much they differ between the images."""
    differ = float(np.abs(before[0] - before[1]).max())
    tolerance = max(_TOLERANCE * differ, _ROUNDING * float(np.abs(before).max()))
    return bool(np.allclose(before, after, rtol=0, atol=tolerance, equal_nan=True))


def _reason(error: Exception) -> str:
    text = one_line(error).rpartition("Exception encountered: ")[2]
    return text[:_LONGEST] or type(error).__name__


def _not_the_same(model: keras.Model, what: str) -> ValueError:
    return ValueError(
        f"model: {model.name} {what}, so the run could not be resumed; expected layers that Keras "
        "saves and loads. Give their classes keras.saving.register_keras_serializable() and a "
        "get_config() of all arguments, keep their state in weights, and name functions instead of "
        "a Lambda."
    )
