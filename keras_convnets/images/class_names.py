"""The names of the classes that a model tells apart."""

from __future__ import annotations

from typing import Any

from keras_convnets.known import known


def class_names_of(model: Any) -> tuple[str, ...] | None:
    """Return the names of a model's classes by label, or ``None`` if the model does not know them.

    A model knows them from published weights, from its training by ``train``, or from its
    ``.keras`` file: see [`load_model`][keras_convnets.load_model].

    Args:
        model: a model.

    Examples:
        >>> from keras_convnets import class_names_of, create_model
        >>> print(class_names_of(create_model("resnet_18")))
        None
    """
    return known(model).class_names
