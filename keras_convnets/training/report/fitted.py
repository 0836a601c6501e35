"""The history of a run, or of the user's own ``model.fit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_convnets.training.run_folder import History

# What Keras calls the accuracy, by the metric that `compile` was given.
_ACCURACIES = (
    "accuracy",
    "acc",
    "sparse_categorical_accuracy",
    "categorical_accuracy",
    "binary_accuracy",
)


def columns(history: Any) -> History:
    """Return the columns of a history by name, with the accuracy under ``accuracy``.

    Args:
        history: what ``model.fit`` returns, or lists by name.

    Raises:
        ValueError: it is neither.
    """
    found = getattr(history, "history", history)
    if not isinstance(found, Mapping) or not all(map(_is_column, found.values())):
        raise ValueError(
            f"history: received {history!r}; expected what model.fit returns, or a list of numbers "
            'for each name, such as {"loss": [2.1, 0.9]}. Pass history.history, for instance.'
        )
    name = next(filter(found.__contains__, _ACCURACIES), "accuracy")
    renamed = {name: "accuracy", f"val_{name}": "val_accuracy"}
    return {str(renamed.get(key, key)): list(values) for key, values in found.items()}


def _is_column(values: Any) -> bool:
    return isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
