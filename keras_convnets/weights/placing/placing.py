"""Placing the arrays of a file in the layers of a model, and writing them, by the same rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_convnets.received import shown
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing import tensors
from keras_convnets.weights.placing.model_layers import before, flattened, variables_of
from keras_convnets.weights.placing.placement import Placement, Value
from keras_convnets.weights.rules.layout import Layout, head_modules, is_weight, module_of, renamed

# What follows the name of a module, by the name of the variable here.
SUFFIXES = {
    "torch": {
        "kernel": ".weight",
        "gamma": ".weight",
        "bias": ".bias",
        "beta": ".bias",
        "moving_mean": ".running_mean",
        "moving_variance": ".running_var",
    },
    "caffe": {"kernel": "_w_0", "bias": "_b_0"},
}
COUNTER = ".num_batches_tracked"  # of a normalisation in PyTorch; it has no place in Keras


def place(layers: Mapping[str, Any], arrays: NamedArrays, layout: Layout) -> Placement:
    """Place the arrays of a file in the layers of a model.

    Args:
        layers: the layers of the model that have weights, by name without the scope: see
            `model_layers.layers_of`.
        arrays: the arrays of the file.
        layout: the names that the layers have there.

    Raises:
        ValueError: if a kernel of the file cannot be that of our layer, or the layout's check
            refuses the arrays.
    """
    keys = _by_name(arrays, layout)
    if layout.check is not None:
        layout.check({name: arrays.arrays[key] for name, key in keys.items()})
    _check_operations(arrays, layout)
    placing = _Placing(keys, arrays.arrays, layout)
    for name, layer in layers.items():
        placing.place(name, layer)
    names = {id(layer): name for name, layer in layers.items()}
    for name, layer in layers.items():
        placing.fold_scale(name, layer, names.get(id(before(layer))))
    return placing.placement(layers)


def written(layers: Mapping[str, Any], layout: Layout) -> dict[str, np.ndarray]:
    """Return the arrays that a file has for the weights of a model.

    Args:
        layers: the layers of the model that have weights, by name without the scope.
        layout: the names that the layers have there.

    Raises:
        ValueError: if the layout has no name for a layer, or its check refuses the arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, layer in layers.items():
        module = module_of(name, layout)
        if module is None:
            raise ValueError(
                f"layout: received {layout.source!r} for a model with a layer {name!r}; expected a "
                f"network that {layout.source} has. Save it without a layout."
            )
        maps = flattened(layer)
        for variable, value in _complete(layer).items():
            key = module.name + SUFFIXES[layout.tensors][variable]
            arrays[key] = tensors.from_keras(value, module.form, maps)
        if layout.tensors == "torch" and _normalises(layer):
            arrays[module.name + COUNTER] = np.zeros((), np.int64)
    if layout.check is not None:
        layout.check(arrays)
    return arrays


class _Placing:
    """The arrays of a file while they are placed."""

    def __init__(
        self, keys: Mapping[str, str], arrays: Mapping[str, np.ndarray], layout: Layout
    ) -> None:
        self._keys, self._arrays, self._layout = keys, arrays, layout
        self._suffixes = SUFFIXES[layout.tensors]
        self._used: set[str] = set()
        self._values: dict[str, Value] = {}
        self._missing: list[str] = []
        self._sought: dict[str, str] = {}
        self._folded = 0

    def place(self, name: str, layer: Any) -> None:
        """Place what the file has for a layer."""
        module = module_of(name, self._layout)
        for variable, weight in variables_of(layer).items():
            full = f"{name}/{variable}"
            suffix = self._suffixes.get(variable, f".{variable}")
            found = module.name + suffix if module else ""
            if found not in self._keys:
                self._missing.append(full)
                self._sought[full] = found or full
                continue
            array, key = self._take(found)
            value = tensors.to_keras(array, weight.shape, flattened(layer))
            if value is None:
                raise _of_another_kind(key, array, full, weight.shape)
            self._values[full] = Value(value, key)

    def fold_scale(self, name: str, layer: Any, convolution: str | None) -> None:
        """Move the scale of a normalisation that has none here into the convolution before it.

        The normalisation of the scaled values with the scaled mean is the scaled normalisation.
        """
        module = module_of(name, self._layout)
        found = module and module.name + self._suffixes.get("gamma", "")
        kernel, mean = f"{convolution}/kernel", f"{name}/moving_mean"
        if not _normalises(layer) or layer.scale or not found or mean not in self._values:
            return
        if found not in self._keys:
            self._missing.append(f"{name}/gamma")  # which the network has there
            return
        if kernel not in self._values:
            return
        scale, key = self._take(found)
        channels = self._values[kernel].array.shape[-1:]
        if scale.shape != channels:  # which NumPy might broadcast
            raise _of_another_kind(key, scale, f"{name}/gamma", channels)
        for full in (kernel, f"{convolution}/bias", mean):
            value = self._values.get(full)
            if value is not None and value.array.shape[-1:] == channels:
                self._values[full] = _scaled(value, scale)
        self._folded += 1

    def placement(self, layers: Mapping[str, Any]) -> Placement:
        """Return what was placed, and what was not."""
        rest = [name for name in self._keys if name not in self._used]
        rest = [name for name in rest if is_weight(name, self._layout)]
        reasons = {name: self._reason(name, layers) for name in rest}
        notes = f"the scales of {self._folded} normalisations are in the convolutions before them"
        return Placement(
            source=self._layout.source,
            values=self._values,
            left_out={self._keys[name]: reason for name, reason in reasons.items() if reason},
            unexplained=tuple(self._keys[name] for name in rest if not reasons[name]),
            missing=tuple(self._missing),
            sought=self._sought,
            bgr=self._layout.bgr,
            notes=(notes,) if self._folded else (),
        )

    def _take(self, name: str) -> tuple[np.ndarray, str]:
        self._used.add(name)
        key = self._keys[name]
        return self._arrays[key], key

    def _reason(self, name: str, layers: Mapping[str, Any]) -> str:
        """Return why the model has no use for an array; empty if that is not known."""
        if self._layout.auxiliary and re.match(self._layout.auxiliary, name):
            used = any(re.match(self._layout.auxiliary, one) for one in self._used)
            return "" if used else "the model has no auxiliary heads"
        heads = head_modules(self._layout)
        present = {module.name for one in layers if (module := module_of(one, self._layout))}
        suffixes = set(self._suffixes.values())
        absent = {head + suffix for head in heads - present for suffix in suffixes}
        return "the model is without its top" if name in absent else ""


def _by_name(arrays: NamedArrays, layout: Layout) -> dict[str, str]:
    """Return the keys of a file by the names that they have in the rules."""
    keys: dict[str, str] = {}
    for key in arrays.arrays:
        other = keys.setdefault(renamed(key, layout), key)
        if other != key:
            raise ValueError(
                f"weights: received {shown(other)} and {shown(key)}, an older and a newer name of "
                "one weight; expected one of them. Remove the other from the file."
            )
    return keys


def _check_operations(arrays: NamedArrays, layout: Layout) -> None:
    """Refuse the graph of a network that has the same names and shapes, in another order."""
    alike = [one for one in arrays.operations if one in layout.operations]
    begins = tuple(alike[: len(layout.operations)])
    if arrays.operations and begins != layout.operations:
        raise ValueError(
            f"weights: received a graph with the operations {', '.join(begins) or None}; expected "
            f"{', '.join(layout.operations)}, as in {' or '.join(layout.networks)}. The file is of "
            "another network with the same names, such as CaffeNet, which is none of this package."
        )


def _of_another_kind(key: str, array: np.ndarray, full: str, shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"weights: received {key} of shape {tuple(array.shape)} for {full} of shape "
        f"{tuple(shape)}; expected the same kind of layer. Use the network that the weights were "
        "trained in."
    )


def _scaled(value: Value, scale: np.ndarray) -> Value:
    """Return a value times a scale; one in half precision is not rounded to it once more."""
    dtype = np.promote_types(value.array.dtype, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite values are refused later
        return Value(np.multiply(value.array, scale, dtype=dtype), value.key)


def _normalises(layer: Any) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _complete(layer: Any) -> dict[str, np.ndarray]:
    """Return the values of a layer; a normalisation has a scale and an offset, here or not."""
    values = {
        name: keras.ops.convert_to_numpy(weight) for name, weight in variables_of(layer).items()
    }
    if not _normalises(layer):
        return values
    mean = values["moving_mean"]
    return {"gamma": np.ones_like(mean), "beta": np.zeros_like(mean)} | values
