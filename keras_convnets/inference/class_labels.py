"""The names of the classes that a model tells apart, given or known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_convnets.images.class_names import class_names_of
from keras_convnets.inference.outputs import Outputs


def class_labels(
    model: Any, outputs: Outputs, given: Sequence[str] | None
) -> tuple[str, ...] | None:
    """Return the names of a model's classes, by label; ``None`` if nobody knows them.

    Args:
        model: the model.
        outputs: what its outputs are.
        given: the names that are given; ``None`` for those that the model knows.

    Raises:
        ValueError: there are more or fewer than classes.
    """
    names = class_names_of(model) if given is None else tuple(given)
    if names is not None and len(names) != outputs.classes:
        raise ValueError(
            f"class_names: received {len(names)} names, but {model.name} is for {outputs.classes} "
            "classes; expected one for each class, by label."
        )
    return names
