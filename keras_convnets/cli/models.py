"""The models that the commands inspect: a network, a run, a saved model, or a function's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_convnets.training.run_folder import is_run


def opened(name: str, input_shape: Any = None, num_outputs: Any = None) -> Any:
    """Return a network by name, or the model of a run or a ``.keras`` file, for inspection.

    A network's weights are not initialised, because nothing here needs their values.
    """
    from keras_convnets.keras_private import without_values
    from keras_convnets.own_networks import is_function
    from keras_convnets.saved_models import is_file, load_model
    from keras_convnets.zoo import create_model

    if is_run(Path(name)):
        from keras_convnets.training.run.saved_run import open_run  # which needs TensorFlow

        return open_run(_alone(name, input_shape, num_outputs)).model
    if is_function(name):  # which may use the values of weights
        return create_model(name, input_shape, num_outputs)
    if not is_file(name):
        options: dict[str, Any] = {"classifier_activation": "sigmoid"} if num_outputs == 1 else {}
        with without_values():
            return create_model(name, input_shape, num_outputs, **options)
    return load_model(_alone(name, input_shape, num_outputs))


def _alone(name: str, input_shape: Any, num_outputs: Any) -> str:
    """Return the name of what has a shape of its own; refuse another one beside it."""
    if input_shape is not None or num_outputs is not None:
        what = "run" if is_run(Path(name)) else "file"
        raise ValueError(
            f"model: received the {what} {name!r} with an input shape or a number of outputs; "
            "expected it alone: a saved model has its own. Name a network to build it anew."
        )
    return name


def opened_for(name: str, input_shape: Any, num_outputs: Any = None) -> Any:
    """Return the model to inspect; a network is built for the shape, a saved model has its own."""
    from keras_convnets.saved_models import is_file

    is_saved = is_file(name) or is_run(Path(name))
    return opened(name, None if is_saved else input_shape, num_outputs)
