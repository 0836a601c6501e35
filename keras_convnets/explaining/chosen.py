"""The output and the classes to explain, as they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets import checks, received
from keras_convnets.inference.classifier import check_graph
from keras_convnets.inference.compiled import kept
from keras_convnets.known import known, pass_on
from keras_convnets.received import shown


def one_output(model: Any, output: int | str | None) -> Any:
    """Return a classifier with one output of a model; the model if that is its only one.

    Raises:
        ValueError: the model has no graph, or no such output.
    """
    check_graph(model)
    names = list(getattr(model, "output_names", [model.name]))  # a Sequential has none
    number = 0
    if isinstance(output, str):
        number = names.index(checks.choice("output", output, names))
    elif output is not None:
        number = int(output)
        if not 0 <= number < len(names):
            raise ValueError(
                f"output: received {number}; expected one of the {len(names)} outputs of "
                f"{model.name}: {', '.join(map(repr, names))}. Name one."
            )
    if len(names) == 1:
        return model

    def made(whole: Any) -> Any:
        one = keras.Model(whole.inputs, whole.outputs[number], name=whole.name)
        pass_on(whole, one)
        return one

    return kept(model).get(f"output {number}", made, of=known(model))


def chosen_labels(given: Any, names: Sequence[str]) -> np.ndarray | None:
    """Return the label of a class, or those of several; ``None`` for the predicted ones.

    Raises:
        ValueError: there is no such class.
    """
    if given is None:
        return None
    if isinstance(given, str) or received.integer(given) is not None:
        return np.array(_label(given, names))
    labels = [_label(one, names) for one in checks.items("class_index", given)]
    if not labels:
        raise ValueError("class_index: received no class; expected one, or one for each image.")
    return np.array(labels)


def _label(given: Any, names: Sequence[str]) -> int:
    if isinstance(given, str):
        found = [label for label, name in enumerate(names) if name == given]
        if len(found) > 1:
            raise ValueError(
                f"class_index: received {shown(given)}, the name of {len(found)} classes; expected "
                f"one. Pass its label: {', '.join(map(str, found))}."
            )
        if found:
            return found[0]
    label = received.integer(given)
    if label is not None and 0 <= label < len(names):
        return label
    some = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
    raise ValueError(
        f"class_index: received {shown(given)}; expected a label from 0 to {len(names) - 1}, or a "
        f"name of a class, such as {some}.{checks.did_you_mean(given, names)}"
    )
