"""A digest of a model's weights, by which all exports of one model are recognised."""

from __future__ import annotations

import hashlib
from typing import Any

import keras
import numpy as np


def fingerprint(model: Any) -> str:
    """Return the SHA-256 of the weights of a model, in their order, with their shapes.

    Examples:
        >>> from keras_convnets import create_model
        >>> model = create_model("lenet_5")
        >>> len(fingerprint(model)), fingerprint(model) == fingerprint(model)
        (64, True)
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        values = np.asarray(keras.ops.convert_to_numpy(weight.value))
        digest.update(f"{values.dtype} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
