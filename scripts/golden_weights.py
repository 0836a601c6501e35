"""Write the table by which networks and weight files are recognised: ``golden_weights.py``.

It takes two minutes: every network is built, without the values of its weights, and named as in
each source that has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import keras
import numpy as np

from keras_convnets import create_model, list_models
from keras_convnets.keras_private import without_values
from keras_convnets.weights.placing.model_layers import layers_of, variables_of
from keras_convnets.weights.placing.placing import written
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.transfer import recognition


def rows_of(model: keras.Model, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the digest, source and network of a network and of its files."""
    yield recognition.fingerprint(model), recognition.MODEL, name
    layers = layers_of(model)
    with mock.patch("keras.ops.convert_to_numpy", _blank):
        for layout in LAYOUTS:
            if name in layout.networks:
                yield recognition.digest(written(layers, layout), layout), layout.source, name
    own = {
        f"{layer}/{variable}": _blank(weight)
        for layer in layers
        for variable, weight in variables_of(layers[layer]).items()
    }
    yield recognition.digest(own, recognition.OWN), recognition.OURS, name


def _blank(variable: Any) -> np.ndarray:
    """Return an array of a weight's shape that takes no memory: only names and shapes count."""
    return np.broadcast_to(np.float32(0), variable.shape)


def main() -> None:
    """Write the table."""
    rows = []
    for name in list_models():
        with without_values():
            rows += rows_of(create_model(name), name)
    recognition.write(dict.fromkeys(rows))
    print(f"{len(rows)} rows, written to {recognition.FILE}")


if __name__ == "__main__":
    main()
