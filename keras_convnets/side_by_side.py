"""Models side by side, by name or as they are; and a model by its name or its file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from keras_convnets.analysis.cost.comparison import Comparison
from keras_convnets.analysis.cost.cost import cost
from keras_convnets.saved_models import load_model
from keras_convnets.zoo import create_model


def compare(models: Iterable[Any], input_shape: Any = None) -> Comparison:
    """Return what several models cost, as one table.

    Args:
        models: functional Keras models, names of networks as in
            [`list_models()`][keras_convnets.list_models], and names of ``.keras`` files.
        input_shape: ``(channels, rows, cols)`` for all of them; by default each model's own.

    Raises:
        ValueError: no models; an unknown name; and whatever
            [`cost`][keras_convnets.cost] refuses, with the model's name.

    Examples:
        >>> from keras_convnets import compare
        >>> both = compare(["resnet_18", "resnet_34"], input_shape=(3, 64, 64))
        >>> [one.macs for one in both.costs]
        [148557824, 299552768]
    """
    if isinstance(models, str | Path | keras.Model) or not isinstance(models, Iterable):
        raise ValueError(
            f"models: received {models!r}; expected a list of models or names, such as "
            "['resnet_18', 'resnet_34']."
        )
    costs = [_cost(model, input_shape) for model in models]
    if not costs:
        raise ValueError(
            "models: received none; expected a list such as ['resnet_18', 'resnet_34']."
        )
    return Comparison(costs)


def _cost(model: Any, input_shape: Any) -> Any:
    if not isinstance(model, str | Path):
        return _cost_by_name(model, input_shape)
    if is_file(model):
        return _cost_by_name(open_model(str(model)), input_shape)
    return _cost_by_name(create_model(str(model), input_shape), input_shape)


def _cost_by_name(model: Any, input_shape: Any) -> Any:
    try:
        return cost(model, input_shape)
    except ValueError as error:
        raise ValueError(f"{getattr(model, 'name', model)}: {error}") from error


def is_file(name: str | Path) -> bool:
    """Return whether a model's name is that of a file rather than of a network."""
    return Path(name).suffix in (".keras", ".h5")


def open_model(name: str, input_shape: Any = None, num_outputs: Any = None) -> Any:
    """Return a network by its name, or the model in a ``.keras`` file, for looking at.

    A network's weights are not made: nothing that only looks at a model needs their values. Keras
    would make them later, with the next weights of any model, so this is for a command that ends
    before.

    Raises:
        ValueError: an unknown name, a file that holds no model, a shape for a model in a file.
    """
    if not is_file(name):
        with keras.StatelessScope(initialize_variables=False):
            return create_model(name, input_shape, num_outputs)
    if input_shape is not None or num_outputs is not None:
        raise ValueError(
            f"model: received the file {name!r} with an input shape or a number of outputs; "
            "expected it alone: a saved model has its own. Name a network to build it anew."
        )
    if not Path(name).is_file():
        raise ValueError(f"model: received {name!r}; there is no such file. Name one that exists.")
    try:
        return load_model(name)
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise ValueError(
            f"model: cannot read {name!r} ({reason[0] if reason else type(error).__name__}). "
            "Expected a model that was saved by model.save('model.keras')."
        ) from error
