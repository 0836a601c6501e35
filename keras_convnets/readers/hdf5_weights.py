"""The weights in files of Keras, of its versions 1 to 3; of a model's file, the weights alone."""

from __future__ import annotations

import io
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile, damage, opened, shown, size_of, take
from keras_convnets.readers.hdf5 import check_hdf5
from keras_convnets.readers.zips import contents, opened_zip

Arrays = dict[str, np.ndarray]

_ZIP = b"PK\x03\x04"
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"  # in a .keras file
_COMPRESSED = 16 << 20  # bytes that any file may inflate to
_LONGEST = 64 << 20  # bytes of an attribute
_NUMBERED = re.compile(r"(?P<kind>.*?)(?:_(?P<number>\d+))?")
_CAPITALS = (r"(.)([A-Z][a-z]+)", r"([a-z])([A-Z])")  # before which Keras writes underscores


def read_keras(path: str | os.PathLike[str]) -> tuple[str, Arrays]:
    """Return the format of a file, and its arrays by name.

    An array is named after its layer and its number in the layer: ``conv1_conv/0``; in a nested
    model, after that too: ``backbone/conv1_conv/0``. A file whose version of Keras left out the
    names of layers has the names of their groups, such as ``conv2d_1``: the class and a number.

    Returns:
        ``"keras model"`` (``.keras``), ``"keras weights"`` (``.weights.h5``) or ``"keras hdf5"``
        (of Keras 1 and 2), and the arrays in the order of the file.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedFile: it is no such file, or damaged.
    """
    with opened(path) as stream, damage():
        if stream.read(len(_ZIP)) != _ZIP:
            stream.seek(0)
            return _read(bytes(take(stream, size_of(stream))), {})
        with opened_zip(stream) as archive:
            config = json_text.parse(contents(archive, _CONFIG))
            return "keras model", _read(bytes(contents(archive, _WEIGHTS)), config)[1]


def read_config(path: str | os.PathLike[str]) -> Any:
    """Return the configuration of the model in a ``.keras`` file."""
    with opened(path) as stream, damage(), opened_zip(stream) as archive:
        return json_text.parse(contents(archive, _CONFIG))


def _read(found: bytes, config: Any) -> tuple[str, Arrays]:
    check_hdf5(found, most=_COMPRESSED + 2 * len(found), names=True)
    with h5py.File(io.BytesIO(found), "r") as file:
        group = file.get("model_weights", file)
        if {"layer_names", "layer_names0"} & set(group.attrs):
            return "keras hdf5", _unique(_of_keras_2(group))
        arrays = _unique(_of_keras_3(file, "", config))
    if not arrays:
        raise DamagedFile("it is HDF5, but has no weights that Keras would have written")
    return "keras weights", arrays


def _unique(found: Iterator[tuple[str, Any]]) -> Arrays:
    arrays: Arrays = {}
    for name, dataset in found:
        if name in arrays:
            raise DamagedFile(f"it has two arrays for {shown(repr(name))}")
        arrays[name] = _array(name, dataset)
    return arrays


def _array(name: str, found: Any) -> np.ndarray:
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        raise DamagedFile(f"its {shown(repr(name))} is not an array")
    kind = found.dtype
    if kind == "V2" and _text(found, "dtype") == "bfloat16":
        bits = found[()].view("<u2").astype("<u4") << 16
        return np.asarray(bits.view("<f4"))
    if kind.kind not in "fiu" or kind.itemsize > 8:
        raise DamagedFile(f"its {shown(repr(name))} has the type {shown(kind)}; expected numbers")
    return np.asarray(found[()], kind.newbyteorder("="))


def _of_keras_2(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of a file that lists the names of its layers, and of their weights."""
    for layer in _texts(group, "layer_names"):
        inside = _listed(group, layer)
        weights = _texts(inside, "weight_names")
        parts = [weight.rpartition("/")[0] for weight in weights]
        counts: Counter[str] = Counter()
        for weight, part in zip(weights, parts, strict=True):
            inner = part.rpartition("/")[2] if len(set(parts)) > 1 else ""  # of a nested model
            name = f"{layer}/{inner}" if inner else layer
            yield f"{name}/{counts[name]}", _listed(inside, weight)
            counts[name] += 1


def _listed(group: Any, name: str) -> Any:
    if name not in group:
        raise DamagedFile(f"it lists {shown(repr(name))}, which it lacks")
    return group[name]


def _of_keras_3(group: Any, path: str, config: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of a group, which is a layer or a model, and of what it contains."""
    variables = group.get("vars", {})
    for number in sorted(variables, key=_order):
        yield f"{path}{number}", variables[number]
    inner = group.get("layers", group)  # beside a model's layers are an optimizer and metrics
    names = _layer_names(config)
    for name in sorted(inner, key=lambda name: (*names.get(name, (math.inf,))[:1], *_order(name))):
        if name == "vars" or not isinstance(inner[name], h5py.Group):
            continue
        _, known, below = names.get(name, (0, name, {}))
        layer = _text(inner[name].get("vars"), "name") or known
        yield from _of_keras_3(inner[name], f"{path}{layer}/", below)


def _order(name: str) -> tuple[str, int]:
    """Return what sorts ``conv2d``, ``conv2d_1``, ..., ``conv2d_10``, and 0, 1, ..., 10."""
    if name.isdecimal():
        return "", int(name)
    match = _NUMBERED.fullmatch(name)
    return (match["kind"], int(match["number"] or 0)) if match else (name, 0)


def _layer_names(config: Any) -> dict[str, tuple[int, str, Any]]:
    """Return the place, the name and the configuration of a model's layers by their groups.

    A group is named after the layer's class, with a number for all but the first.
    """
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else None
    found: dict[str, tuple[int, str, Any]] = {}
    counts: Counter[str] = Counter()
    for place, layer in enumerate(layers if isinstance(layers, list) else ()):
        settings = layer.get("config") if isinstance(layer, dict) else None
        name = settings.get("name") if isinstance(settings, dict) else None
        if not isinstance(name, str):
            return {}
        kind = str(layer.get("class_name"))
        for capitals in _CAPITALS:
            kind = re.sub(capitals, r"\1_\2", kind)
        kind = kind.lower()
        number = f"_{counts[kind]}" if counts[kind] else ""
        found[kind + number] = place, name, layer
        counts[kind] += 1
    return found


def _texts(group: Any, name: str) -> list[str]:
    """Return a list of texts that describes a group; a long one is in several parts."""
    if name in group.attrs:
        parts = [name]
    else:
        parts = [f"{name}{n}" for n in range(len(group.attrs)) if f"{name}{n}" in group.attrs]
    if not parts:
        raise DamagedFile(f"its {shown(repr(group.name))} lacks {name}")
    values = [value for part in parts for value in np.ravel(_attribute(group, part)).tolist()]
    return [_decoded(name, value) for value in values]


def _text(group: Any, name: str) -> str:
    """Return a text that describes a group; an empty one if there is none."""
    found = {} if group is None else group.attrs
    return _decoded(name, _attribute(group, name)) if name in found else ""


def _attribute(group: Any, name: str) -> Any:
    identity = group.attrs.get_id(name)
    size = math.prod(identity.shape or ()) * identity.dtype.itemsize
    if size > _LONGEST:
        raise DamagedFile(f"its {name} has {size:,} bytes")
    return group.attrs[name]


def _decoded(name: str, value: Any) -> str:
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise DamagedFile(f"its {name} has {type(value).__name__} where a name should be")
    return text
