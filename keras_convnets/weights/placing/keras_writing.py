"""Writing weights as keras.applications' own files: HDF5, as Keras 1 and 2 wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import h5py
import keras
import numpy as np

from keras_convnets import files
from keras_convnets.weights.placing.head_layers import is_head
from keras_convnets.weights.placing.model_layers import variables_of
from keras_convnets.weights.rules.keras import APPLICATIONS, order

_SUFFIX, _OTHER = ".h5", ".weights.h5"  # the second is another format, by its name alone


def check_keras_suffix(path: str | os.PathLike[str]) -> None:
    """Refuse a path that Keras would read as another format than keras.applications' files.

    Raises:
        ValueError: it is so.
    """
    name = PurePath(path).name
    if not name.endswith(_SUFFIX) or name.endswith(_OTHER):
        raise ValueError(
            f"path: received {files.shown(path)} for the layout 'keras'; expected a name that ends "
            "in .h5, but not in .weights.h5, which Keras reads as another format. Rename it."
        )


def write_keras(path: str | os.PathLike[str], layers: Mapping[str, Any], network: str) -> None:
    """Write the weights of a network that keras.applications has, which loads them from the file.

    Without our head, it is a file for ``include_top=False``.

    Args:
        path: the file, ``.h5``. It is written completely or not at all.
        layers: the layers of the model that have weights, by name without the scope.
        network: the network's name: one of `keras_files.NETWORKS`.

    Raises:
        ValueError: the file cannot be written.
    """
    pairs = [pair for pair in order(network) if pair.ours in layers or not is_head(pair.ours)]
    arrays = {pair.theirs: _values(pair.ours, layers[pair.ours]) for pair in pairs}
    if APPLICATIONS[network].bgr:
        stem = arrays[pairs[0].theirs]
        stem["kernel"] = stem["kernel"][:, :, ::-1]
    with files.replacing(path) as target, h5py.File(target, "w") as file:
        file.attrs["layer_names"] = np.array([pair.theirs for pair in pairs], "S")
        file.attrs["backend"] = np.bytes_(keras.backend.backend())
        file.attrs["keras_version"] = np.bytes_(keras.__version__)
        for layer, values in arrays.items():
            group = file.create_group(layer)
            names = [f"{layer}/{variable}:0" for variable in values]
            group.attrs["weight_names"] = np.array(names, "S")
            for name, array in zip(names, values.values(), strict=True):
                group[name] = array


def _values(ours: str, layer: Any) -> dict[str, np.ndarray]:
    """Return the values of a layer; a dense layer as a convolution is one after a flatten there."""
    values = {}
    for name, weight in variables_of(layer).items():
        value = np.asarray(keras.ops.convert_to_numpy(weight), np.float32)
        after_flatten = is_head(ours) and value.ndim == 4
        values[name] = value.reshape(-1, value.shape[-1]) if after_flatten else value
    return values
