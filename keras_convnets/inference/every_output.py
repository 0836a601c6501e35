"""The outputs of a classifier that has several, such as the auxiliary classifiers of GoogLeNet."""

from __future__ import annotations

from typing import Any

import keras

from keras_convnets.inference.classifier import check_graph
from keras_convnets.inference.outputs import Outputs, outputs_of

_ONE = "Pass a model of one output, keras.Model(model.inputs[0], model.outputs[0])"


def every_output(model: Any) -> dict[str, Outputs]:
    """Determine the kind of each output of a classifier.

    Args:
        model: a classifier with one output, or with several for the same classes.

    Returns:
        The outputs by their names, the model's first output first: it is the main one.

    Raises:
        ValueError: as in `outputs_of`, for any of the outputs; or they are in a dictionary, or of
            unlike numbers of classes.
    """
    if not _has_several(model):
        return {model.name: outputs_of(model)}
    check_graph(model)
    if not isinstance(model.output, list | tuple):
        raise ValueError(
            f"model: {model.name} has its outputs in a {type(model.output).__name__}; expected a "
            f"list, the main output first. {_ONE}."
        )
    found = {
        name: outputs_of(_with_output(model, number))
        for number, name in enumerate(model.output_names)
    }
    classes = [outputs.classes for outputs in found.values()]
    if len(set(classes)) > 1:
        raise ValueError(
            f"model: {model.name} has outputs for {', '.join(map(str, classes))} classes; expected "
            f"the same classes for all of them, as they have the same labels. {_ONE}."
        )
    return found


def main_output(model: Any) -> Any:
    """Return a classifier with the first output of a model alone; the model if that is its only."""
    return _with_output(model, 0) if _has_several(model) else model


def _has_several(model: Any) -> bool:
    return len(getattr(model, "outputs", None) or ()) > 1


def _with_output(model: Any, number: int) -> Any:
    return keras.Model(model.inputs, model.outputs[number], name=model.name)
