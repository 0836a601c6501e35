"""Which network a model is, and which networks a file has the weights of.

Names and shapes alone do not tell: ``resnet_v1_50`` has those of torchvision's ResNet-50, but its
strides are elsewhere. A model is recognised by a fingerprint of its layers and their settings, a
file by a digest of its names and shapes. Neither depends on the number of classes, the head, the
image's size and channels, the data format or the types. ``scripts/golden_weights.py`` writes the
tables of both.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_convnets.files import replacing, shown
from keras_convnets.keras_private import all_layers, graph_inside, nodes_by_depth
from keras_convnets.weights.placing.head_layers import is_head
from keras_convnets.weights.placing.keras_files import is_keras, networks_of, with_variables
from keras_convnets.weights.placing.model_layers import scope_of
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.rules.layout import (
    Layout,
    Row,
    head_modules,
    is_weight,
    module_in,
    module_of,
    renamed,
)

FILE = Path(__file__).with_name("recognition.csv")
COLUMNS = ("digest", "source", "network")
OURS = "keras_convnets"
MODEL = "model"  # the source of fingerprints in the table
# What a layer computes, as its configuration says, but for its initial values, types and axes.
SETTINGS = (
    *("activation", "alpha", "beta", "bias", "center", "channels", "depth_multiplier"),
    *("dilation_rate", "epsilon", "filters", "groups", "indices", "kernel_size", "offset"),
    *("output_size", "padding", "pool_size", "scale", "size", "strides", "units", "use_bias"),
)
_MOST = 5  # networks in an error
_STEMS = ("conv1_conv", "conv1_conv1")

Names = frozenset[str]
Source = tuple[str, str]  # the network and whose names a file has


def network_of_model(model: keras.Model) -> Names:
    """Return the registered networks that a model is, or that a model within it is.

    Several have the same layers where they differ in the head or the published size only.
    """
    models = [one for one in all_layers(model) if graph_inside(one) is not None]
    found = {names for one in models if (names := _of_digest(MODEL, fingerprint(one)))}
    return found.pop() if len(found) == 1 else frozenset()


def network_of_file(arrays: Mapping[str, np.ndarray]) -> list[Source]:
    """Return the networks whose weights a file can have, each with whose names it has."""
    found = []
    if is_keras(arrays):
        found = [(network, "keras") for network in networks_of(arrays)]
        arrays = with_variables(arrays)
    found += [
        (network, layout.source)
        for layout in (*LAYOUTS, OWN)
        for network in sorted(_of_digest(layout.source, digest(arrays, layout)))
    ]
    return list(dict.fromkeys(found))


def check_same_network(
    file: str | os.PathLike[str], networks: Iterable[str], theirs: Sequence[str]
) -> None:
    """Refuse a file that has the weights of other networks.

    Args:
        file: its path.
        networks: the registered networks that the model is; none if it is unknown.
        theirs: the networks whose weights the file can have; none if they are unknown.

    Raises:
        ValueError: none of the networks is among those of the file.
    """
    if networks and theirs and not set(networks).intersection(theirs):
        raise ValueError(
            f"weights: received {shown(file)}, which has the weights of {either(theirs)}, for "
            f"{either(sorted(networks))}; expected the same network, for another computes "
            f"something else with them even where all names and shapes agree. Build {theirs[0]}."
        )


def either(names: Iterable[str]) -> str:
    """Return the first few of some names, of which one is meant."""
    return " or ".join(list(names)[:_MOST])


def fingerprint(model: keras.Model) -> str:
    """Return the fingerprint of a network: of its layers, their settings and connections."""
    return _hashed(_described(model))


def _described(model: Any) -> Iterator[str]:
    prefix = scope_of(model)
    for nodes in nodes_by_depth(graph_inside(model)).values():
        for node in nodes:
            name = node.operation.name.removeprefix(prefix)
            if is_head(name) or isinstance(node.operation, keras.layers.InputLayer):
                continue
            parents = [one.operation for one in node.parent_nodes]
            names = [
                "" if isinstance(one, keras.layers.InputLayer) else one.name.removeprefix(prefix)
                for one in parents
            ]
            yield f"{name} {_settings(node.operation)} {names}"


def _settings(layer: Any) -> str:
    config = layer.get_config() if isinstance(layer, keras.Layer) else {}
    chosen = [(name, config[name]) for name in SETTINGS if name in config]
    return f"{type(layer).__name__} {[(name, _plain(value)) for name, value in chosen]}"


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"({','.join(map(_plain, value))})"
    if isinstance(value, dict):  # a function that is not Keras' own
        return str(value.get("config", value))
    return repr(value)


# --- Files. Our own have the names of our layers.

OWN = Layout(OURS, (), tuple(Row(stem, stem) for stem in _STEMS))


def digest(arrays: Mapping[str, np.ndarray], layout: Layout) -> str:
    """Return the digest of a file's names and shapes, if it has the names of a layout."""
    return _hashed(_shapes(arrays, layout))


def _shapes(arrays: Mapping[str, np.ndarray], layout: Layout) -> Iterator[str]:
    heads, stems = head_modules(layout), _stems(layout)
    for key, array in arrays.items():
        name = renamed(key, layout)
        module = name.rsplit("/", 1)[0] if layout is OWN else module_in(name, layout)
        if not is_weight(name, layout) or module in heads or (layout is OWN and is_head(module)):
            continue
        if layout.auxiliary and re.match(layout.auxiliary, name):
            continue
        sizes = list(array.shape)
        if module in stems and len(sizes) == 4:
            sizes[2 if layout is OWN else 1] = 0  # the channels of the images
        yield f"{name} {sizes}"


@functools.cache
def _stems(layout: Layout) -> Names:
    found = [module_of(stem, layout) for stem in _STEMS]
    return frozenset(module.name for module in found if module)


# --- The table.


def _hashed(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _of_digest(source: str, digest: str) -> Names:
    return _table().get((source, digest), frozenset())


def write(rows: Iterable[tuple[str, str, str]]) -> None:
    """Replace the table by rows of a digest, its source and its network."""
    with replacing(FILE) as path, path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    _table.cache_clear()


@functools.cache
def _table() -> dict[tuple[str, str], Names]:
    table: dict[tuple[str, str], Names] = {}
    with FILE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            key = row["source"], row["digest"]
            table[key] = table.get(key, frozenset()) | {row["network"]}
    return table
