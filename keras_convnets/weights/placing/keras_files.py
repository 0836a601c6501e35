"""Placing the arrays of Keras' files, which have layers and numbers, in the layers of a model.

Files of our own models have the names of our layers. Those of keras.applications have its layers'
in its order, whatever they are called: see `rules.keras`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from keras_convnets.received import shown
from keras_convnets.weights.placing.head_layers import is_head
from keras_convnets.weights.placing.keras_layers import Layers, of_application, our_names
from keras_convnets.weights.placing.model_layers import variables_of, weights_of
from keras_convnets.weights.placing.placement import Placement, Value
from keras_convnets.weights.rules.keras import APPLICATIONS, order

NETWORKS: tuple[str, ...] = tuple(APPLICATIONS)
"""The networks of ours that are keras.applications'."""

_KEY = re.compile(r".+/[0-9]+")
_VARIABLES = {  # by the number of arrays, if the first is a vector
    3: ("beta", "moving_mean", "moving_variance"),
    4: ("gamma", "beta", "moving_mean", "moving_variance"),
}


def is_keras(arrays: Mapping[str, np.ndarray]) -> bool:
    """Return whether arrays are called after layers and numbers, as those of Keras' files are."""
    return bool(arrays) and all(_KEY.fullmatch(key) for key in arrays)


def networks_of(arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Return the networks of keras.applications whose weights a file can have, by their number."""
    kept = [one for one in _layers(arrays).values() if one[0].ndim != 2]  # without the top
    stem = next((one[0] for one in kept if one[0].ndim == 4), np.zeros(0))
    found = sum(map(len, kept)), sum(array.size for one in kept for array in one) - stem.size
    return [name for name, known in APPLICATIONS.items() if found == (known.arrays, known.values)]


def with_variables(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a file named after variables, as those of our own files are."""
    named = {}
    for layer, values in _layers(arrays).items():
        kinds = ("kernel", "bias") if values[0].ndim > 1 else _VARIABLES.get(len(values), ())
        for n, array in enumerate(values):
            named[f"{layer}/{kinds[n] if n < len(kinds) else n}"] = array
    return named


def place_keras(
    layers: Mapping[str, Any], arrays: Mapping[str, np.ndarray], networks: Collection[str] = ()
) -> Placement:
    """Place the arrays of a file of Keras in the layers of a model.

    Args:
        layers: the layers of the model that have weights, by name without the scope.
        arrays: the arrays of the file, called ``layer/0``, ``layer/1``, ... in its order.
        networks: the registered networks that the model is; none if that is not known.

    Raises:
        ValueError: the file has neither our layers nor those of the network.
    """
    found = _layers(arrays)
    names = our_names(layers, found)
    if names:
        return _Placing(layers, found, names).placement("keras_convnets")
    reasons = []
    for network in networks or NETWORKS:
        if network not in APPLICATIONS or order(network)[0].ours not in layers:
            continue
        try:
            names, notes = of_application(network, layers, found)
        except ValueError as error:
            reasons.append(str(error))
            continue
        placing = _Placing(layers, found, names)
        return placing.placement("keras", APPLICATIONS[network].bgr, notes)
    raise ValueError(_refusal(found, networks, reasons))


def _layers(arrays: Mapping[str, np.ndarray]) -> Layers:
    found: Layers = {}
    for key, array in arrays.items():
        found.setdefault(key.rpartition("/")[0], []).append(array)
    return found


def _refusal(found: Layers, networks: Collection[str], reasons: Sequence[str]) -> str:
    names = ", ".join(shown(name) for name in list(found)[:3])
    reason = f" ({reasons[0]})" if len(reasons) == 1 else ""
    there = [name for name in networks if name in APPLICATIONS]
    expected = f"those of keras.applications' {' or '.join(there)}, or the" if there else "the"
    return (
        f"weights: received a file of Keras with the layers {names}, ...{reason}; expected "
        f"{expected} names of the model's own layers. Build the network that the file is of."
    )


class _Placing:
    """The layers of a file while they are placed."""

    def __init__(self, layers: Mapping[str, Any], found: Layers, names: Mapping[str, str]) -> None:
        self._layers = layers
        self._values: dict[str, Value] = {}
        self._left_out: dict[str, str] = {}
        self._unexplained: list[str] = []
        for name, arrays in found.items():
            self._place(name, arrays, names.get(name, name))

    def _place(self, name: str, arrays: list[np.ndarray], ours: str) -> None:
        keys = [f"{name}/{n}" for n in range(len(arrays))]
        if ours not in self._layers:
            if reason := self._reason(ours):
                self._left_out |= dict.fromkeys(keys, reason)
            else:
                self._unexplained += keys
            return
        weights = variables_of(self._layers[ours])
        if len(weights) != len(arrays):
            raise ValueError(
                f"weights: received {len(arrays)} arrays for the layer {shown(name)}; expected "
                f"{len(weights)}: {', '.join(weights)}. Build the network that the file is of."
            )
        for key, array, (variable, weight) in zip(keys, arrays, weights.items(), strict=True):
            self._values[f"{ours}/{variable}"] = Value(_shaped(array, weight.shape), key)

    def _reason(self, ours: str) -> str:
        """Return why the model has no use for a layer; empty if that is not known."""
        if not is_head(ours):
            return ""
        kind = "head" if ours.startswith("head") else "aux"
        if any(is_head(one) and one.startswith(kind) for one in self._layers):
            return ""
        return (
            "the model is without its top" if kind == "head" else "the model has no auxiliary heads"
        )

    def placement(self, source: str, bgr: bool = False, notes: tuple[str, ...] = ()) -> Placement:
        """Return what was placed, and what was not."""
        return Placement(
            source=source,
            values=self._values,
            left_out=self._left_out,
            unexplained=tuple(self._unexplained),
            missing=tuple(one for one in weights_of(self._layers) if one not in self._values),
            bgr=bgr,
            notes=notes,
        )


def _shaped(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return a dense kernel after a flatten as that of a convolution, and the other way round."""
    if array.ndim == 2 and len(shape) == 4 and len(array) == math.prod(shape[:3]):
        return array.reshape(*shape[:3], -1)
    if array.ndim == 4 and len(shape) == 2:
        return array.reshape(-1, array.shape[-1])
    return array
