"""Which array of a file is which weight of a model: by the rules that explain most of the file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from keras_convnets import files
from keras_convnets.received import shown
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.head_layers import head_of
from keras_convnets.weights.placing.keras_files import is_keras, place_keras
from keras_convnets.weights.placing.model_layers import weights_of
from keras_convnets.weights.placing.placement import Placement, Value
from keras_convnets.weights.placing.placing import place
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.rules.layout import Layout
from keras_convnets.weights.transfer.adapting import Adapted
from keras_convnets.weights.transfer.recognition import OURS, Names

_MOST = 5  # names in an error


def match(
    file: str | os.PathLike[str], arrays: NamedArrays, layers: Mapping[str, Any], networks: Names
) -> Placement:
    """Return which array of a file is which weight.

    Args:
        file: the path of the file, for errors.
        arrays: its arrays.
        layers: the layers of the model that have weights, by name without the scope.
        networks: the registered networks that the model is. For an unknown one, the rules of all
            networks are tried.

    Raises:
        ValueError: the file has no weight of the model, or the rules of the network refuse it.
    """
    if is_keras(arrays.arrays):
        return place_keras(layers, arrays.arrays, networks)
    weights = weights_of(layers)
    if any(name in arrays.arrays for name in weights):
        return _by_our_names(weights, arrays)
    layouts = [one for one in LAYOUTS if not networks or networks.intersection(one.networks)]
    found: list[Placement] = []
    refusals: list[ValueError] = []
    for layout in layouts:
        try:
            found.append(place(layers, arrays, layout))
        except ValueError as error:
            refusals.append(error)
    found = [one for one in found if one.values]
    if found:
        return min(found, key=lambda one: len(one.unexplained) + len(one.missing))
    if refusals and networks:
        raise refusals[0]
    raise _nothing_fits(file, arrays, layouts, next(iter(weights)))


def _by_our_names(weights: Mapping[str, Any], arrays: NamedArrays) -> Placement:
    rest = [key for key in arrays.arrays if key not in weights]
    present = {head_of(name.rsplit("/", 1)[0]) for name in weights} | {None}
    heads = {key: head_of(key.rsplit("/", 1)[0]) for key in rest}
    absent = {
        key: "the model is without its top" if head == "head" else "the model has no such head"
        for key, head in heads.items()
        if head not in present
    }
    return Placement(
        source=OURS,
        values={key: Value(array, key) for key, array in arrays.arrays.items() if key in weights},
        left_out=absent,
        unexplained=tuple(key for key in rest if key not in absent),
        missing=tuple(name for name in weights if name not in arrays.arrays),
    )


def _nothing_fits(
    file: str | os.PathLike[str], arrays: NamedArrays, layouts: list[Layout], ours: str
) -> ValueError:
    sources = [f"{source}'s" for source in dict.fromkeys(one.source for one in layouts)]
    expected = ", ".join([*sources, "or those" if sources else "those"])
    return ValueError(
        f"weights: received {files.shown(file)} with the names {first(arrays.arrays)}, "
        f"none of which fits the model; expected {expected} of its layers, such as {ours!r}. "
        "Build the network that the file is of."
    )


def check_complete(
    file: str | os.PathLike[str],
    arrays: NamedArrays,
    placement: Placement,
    adapted: Adapted,
    strict: bool,
) -> None:
    """Refuse a file with names that no rule explains, and one that lacks weights of the model.

    Args:
        file: the path of the file.
        arrays: its arrays.
        placement: where they belong.
        adapted: the values for the model.
        strict: whether all that is in the file must be explained, and all of the model be in it;
            otherwise one weight is enough.

    Raises:
        ValueError: the file is so. The error has the nearest names.
    """
    missing = adapted.missing
    if not strict:
        if not adapted.values:
            raise ValueError(
                f"weights: received {files.shown(file)}, which has no weight of the model but "
                "those of layers that start anew; expected one of them at least. Build the network "
                "that the file is of."
            )
        return
    said = []
    if placement.unexplained:
        said.append(
            f"has {len(placement.unexplained):,} names that no rule explains, "
            f"{first(placement.unexplained)}"
        )
    if missing:
        said.append(
            f"lacks {len(missing):,} weights, {first(missing)}; nearest to the first of them, "
            f"{shown(placement.sought.get(missing[0], missing[0]))}, are "
            f"{_nearest(missing[0], placement, arrays)}"
        )
    if said:
        raise ValueError(
            f"weights: received {files.shown(file)}, which, read by {placement.source}'s names, "
            f"{' and '.join(said)}; expected each weight of the model once. Build the network that "
            "the file is of, or pass strict=False to leave such names out and keep such weights."
        )


def first(names: Iterable[str]) -> str:
    """Return the first few of the names in a file, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(map(shown, names[:_MOST])) + more


def _nearest(wanted: str, placement: Placement, arrays: NamedArrays) -> str:
    """Return the names in the file, preferably unused ones, that are nearest to a weight's."""
    names = list(placement.unexplained) or list(arrays.arrays)
    wanted = placement.sought.get(wanted, wanted)
    near = difflib.get_close_matches(wanted, names, n=_MOST, cutoff=0.0)
    return ", ".join(f"{shown(name)} {tuple(arrays.arrays[name].shape)}" for name in near)
