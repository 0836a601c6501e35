"""Models in files, however deep their graphs."""

from __future__ import annotations

import os

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
