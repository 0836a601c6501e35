"""What a model knows of the preprocessing of its images."""

from __future__ import annotations

from typing import Any

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.known import known


def preprocessing_of(model: Any) -> Preprocessing | None:
    """Return the preprocessing of the images that a model was trained on, if the model knows it.

    A model knows it from published weights, from its training by ``train``, or from its ``.keras``
    file: see [`load_model`][keras_convnets.load_model].

    Args:
        model: a model.

    Returns:
        The preprocessing, or ``None`` if it is unknown.

    Raises:
        ValueError: what the model knows is no preprocessing; its file was not written by this
            package.

    Examples:
        >>> from keras_convnets import create_model, preprocessing_of
        >>> print(preprocessing_of(create_model("resnet_18")))
        None
    """
    config = known(model).preprocessing
    if config is None:
        return None
    try:
        return Preprocessing.from_config(config)
    except ValueError as error:
        raise ValueError(f"model: its preprocessing cannot be used: {error}") from error
