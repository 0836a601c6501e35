"""Which layer of a file of Keras is which layer of ours: by its name, its place or its class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_convnets.received import shown
from keras_convnets.weights.placing.head_layers import is_head
from keras_convnets.weights.rules.keras import Pair, is_normalisation, order

Layers = dict[str, list[np.ndarray]]  # the arrays of each layer of a file, in its order

_NUMBERED = re.compile(r"(conv2d|batch_normalization)(?:_(\d+))?")
_UNKNOWN = "the layers were matched by their order: keras.applications has none of their names"


def our_names(layers: Mapping[str, Any], found: Layers) -> dict[str, str]:
    """Return the name here of each layer of a file that has our names; empty if it has not.

    In the file, they may be those of a nested model, or of one that was built in a scope. A few
    names are keras.applications' too, such as ``conv1_conv``.
    """
    inner = {name: _last(name) for name in found}
    if len(set(inner.values())) < len(inner):
        return {}
    first = next(iter(layers))
    ends = [name.removesuffix(first) for name in inner.values() if name.endswith(f"_{first}")]
    scope = ends[0] if len(ends) == 1 and first not in inner.values() else ""
    names = {name: last.removeprefix(scope) for name, last in inner.items()}
    ours = sum(name in layers for name in names.values())
    return names if 2 * ours > min(len(layers), len(names)) else {}


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def of_application(
    network: str, layers: Mapping[str, Any], found: Layers
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the name here of each layer of a file of keras.applications, and remarks.

    Raises:
        ValueError: it is not of this network. The error has the reason, as a part of a line.
    """
    head = [pair for pair in order(network) if is_head(pair.ours)]
    body = [pair for pair in order(network) if not is_head(pair.ours)]
    tops = [name for name, values in found.items() if values[0].ndim == 2]
    names = [name for name in found if name not in tops]
    if len(names) != len(body):
        raise ValueError(
            f"{network} has {len(body)} layers with weights before its head, and the file "
            f"{len(names)}"
        )
    reasons = []
    for way in (_by_order, by_name, _by_class):
        ours = way(names, body)
        reason = _misfit(ours, layers, found, body[0].ours) if ours else ""
        if ours and not reason:
            is_known = way is not _by_order or _is_known(names, body)
            if len(tops) == len(head):
                ours |= dict(zip(tops, (pair.ours for pair in head), strict=True))
            return ours, () if is_known else (_UNKNOWN,)
        reasons.append(reason or "the layers of the file are in another order")
    raise ValueError(reasons[0])


def _by_order(names: Sequence[str], pairs: Sequence[Pair]) -> dict[str, str]:
    """Match layers by their order; none if that contradicts a name that is known."""
    known = {pair.theirs for pair in pairs}
    for name, pair in zip(map(_last, names), pairs, strict=True):
        if name in known and name != pair.theirs and not _NUMBERED.fullmatch(name):
            return {}
    return {name: pair.ours for name, pair in zip(names, pairs, strict=True)}


def by_name(names: Sequence[str], pairs: Sequence[Pair]) -> dict[str, str]:
    """Match layers by their names; the first that Keras numbers may have any number."""
    ours = {pair.theirs: pair.ours for pair in pairs}
    first: dict[str, int] = {}
    for kind, number in _numbers(names):
        first[kind] = min(number, first.get(kind, number))
    found = {}
    for name in names:
        there = _last(name)
        for kind, number in _numbers([name]):
            number -= first[kind]
            there = f"{kind}_{number}" if number else kind
        if there not in ours:
            return {}
        found[name] = ours[there]
    return found


def _by_class(names: Sequence[str], pairs: Sequence[Pair]) -> dict[str, str]:
    """Match layers by their class and number, as the first versions of Keras 3 wrote them."""
    kinds: dict[str, list[tuple[int, str]]] = {"conv2d": [], "batch_normalization": []}
    for name in names:
        for kind, number in _numbers([name]):
            kinds[kind].append((number, name))
    normalised = [pair for pair in pairs if is_normalisation(pair.ours)]
    others = [pair for pair in pairs if not is_normalisation(pair.ours)]
    found: dict[str, str] = {}
    for kind, same in zip(kinds, (others, normalised), strict=True):
        if len(kinds[kind]) != len(same):
            return {}
        found |= {
            name: pair.ours for (_, name), pair in zip(sorted(kinds[kind]), same, strict=True)
        }
    return found


def _numbers(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the class and the number of layers that Keras named."""
    for name in names:
        if match := _NUMBERED.fullmatch(_last(name)):
            yield match[1], int(match[2] or 0)


def _is_known(names: Sequence[str], pairs: Sequence[Pair]) -> bool:
    known = {pair.theirs for pair in pairs}
    return any(_last(name) in known for name in names)


def _misfit(names: Mapping[str, str], layers: Mapping[str, Any], found: Layers, stem: str) -> str:
    """Return what tells that layers are not those of a model; empty if nothing does."""
    for name, ours in names.items():
        if ours not in layers:
            continue
        shapes = [tuple(array.shape) for array in found[name]]
        expected = [tuple(weight.shape) for weight in layers[ours].weights]
        if shapes != (_of_channels(expected, shapes) if ours == stem else expected):
            return f"its layer {shown(name)} has the shapes {shapes}, and {ours} has {expected}"
    return ""


def _of_channels(
    expected: list[tuple[int, ...]], shapes: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Return the shapes of the first convolution for images of the channels of a file."""
    kernel = expected[0]
    channels = shapes[0][2] if len(shapes[0]) == len(kernel) == 4 else 0
    return [(*kernel[:2], channels, *kernel[3:]), *expected[1:]]
