"""Loading the weights of a file into a model."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras

from keras_convnets import checks, files
from keras_convnets.keras_private import is_outline
from keras_convnets.known import Known, remember
from keras_convnets.received import shown
from keras_convnets.typed import typed
from keras_convnets.weights import formats
from keras_convnets.weights.adapting import CHANNELS, Adapted, adapt, is_head
from keras_convnets.weights.arrays import NamedArrays
from keras_convnets.weights.assigning import assign, converted
from keras_convnets.weights.folding import fold_bgr, stem_of
from keras_convnets.weights.model_layers import layers_of, variables_of
from keras_convnets.weights.placement import Placement, Value
from keras_convnets.weights.placing import place
from keras_convnets.weights.recognition import (
    OURS,
    Names,
    Source,
    network_of_file,
    network_of_model,
)
from keras_convnets.weights.report import WeightsReport
from keras_convnets.weights.rules import LAYOUTS

_MOST = 5  # names in an error
_REPORT = "_keras_convnets_weights_report"


@typed
def load_weights(
    model: keras.Model,
    file: str | os.PathLike[str],
    *,
    strict: bool = True,
    channels: str = "sum",
) -> WeightsReport:
    """Load weights that were trained elsewhere into a model.

    The file may be safetensors, a checkpoint of PyTorch, weights or a model of Keras, ONNX or
    ``.npz``; its contents tell. Its names are torchvision's, timm's, keras.applications', Caffe's
    or those of our own layers. PyTorch is not needed, and nothing in the file is executed.

    All is checked before the first weight changes: when this raises, the model has the weights that
    it had. A file of another network than the model is refused, even where all names and shapes
    agree.

    A classifier for another number of classes keeps the values that it was initialised with. In a
    file with 1,001 classes whose first is the background, that one is left out for a model of
    1,000. The first convolution is adapted to another number of channels.

    Args:
        model: a network of this package, or a model with layers of the same names: of any data
            format, types, scope and image size.
        file: the path of the file.
        strict: whether names in the file that no rule explains and weights that the file lacks are
            errors. If ``False``, they are in the report; such weights keep their values.
        channels: how the kernel of the first convolution becomes one for N channels instead of C.
            ``"sum"``: for one channel the sum over its channels, otherwise they are repeated and
            multiplied by C/N, as in timm. ``"mean"``: each is their mean, multiplied by C/N.
            ``"zero"``: the channels after the first C are zero.

    Returns:
        What was loaded, adapted, made anew and left out.

    Raises:
        ValueError: there is no such file, it is damaged, or it does not fit the model.
    """
    checks.choice("channels", channels, CHANNELS)
    layers = layers_of(model)
    _check_model(model, layers)
    arrays = formats.read(file)
    networks = network_of_model(model)
    sources = network_of_file(arrays.arrays)
    _check_same_network(file, networks, sources)
    placement = _placement(layers, arrays, networks, file)
    variables = dict(_variables(layers))
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if placement.bgr:
        placement = fold_bgr(placement, stem_of(layers))
    adapted = adapt(shapes, placement, _first_convolution(shapes), channels)
    _check_complete(file, placement, adapted, arrays, strict)
    values = [
        (variables[name], converted(name, value, variables[name]))
        for name, value in adapted.values.items()
    ]
    report = _report(file, arrays, networks, placement, adapted)
    assign(values)
    remember(model, Known())
    object.__setattr__(model, _REPORT, report)  # Keras would track what is in it
    return report


def weights_report_of(model: keras.Model) -> WeightsReport | None:
    """Return the report of the weights that were last loaded into a model; ``None`` if none were.

    Thus what the option ``weights`` of a builder did can be seen.
    """
    return getattr(model, _REPORT, None)


def _first_convolution(shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    kernels = (name for name, shape in shapes.items() if len(shape) == 4)
    return next((name.rsplit("/", 1)[0] for name in kernels), None)


def _variables(layers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, layer in layers.items():
        for variable, weight in variables_of(layer).items():
            yield f"{name}/{variable}", weight


def _check_model(model: Any, layers: Mapping[str, Any]) -> None:
    if not layers:
        raise ValueError(
            f"model: received {shown(model.name)}, which has no weights; expected a model that is "
            "built. Call it on a batch of images first."
        )
    if is_outline(model):
        raise ValueError(
            f"model: received {shown(model.name)}, whose weights have no values; expected a model "
            "that was built outside keras.StatelessScope. Build it again."
        )


def _check_same_network(file: Any, networks: Names, sources: list[Source]) -> None:
    theirs = list(dict.fromkeys(network for network, _ in sources))
    if networks and theirs and not networks.intersection(theirs):
        raise ValueError(
            f"weights: received {files.shown(file)}, which has the weights of {_either(theirs)}, "
            f"for {_either(sorted(networks))}; expected the same network, for another computes "
            f"something else with them even where all names and shapes agree. Build {theirs[0]}."
        )


def _either(names: Iterable[str]) -> str:
    return " or ".join(list(names)[:_MOST])


def _placement(
    layers: Mapping[str, Any], arrays: NamedArrays, networks: Names, file: Any
) -> Placement:
    """Return the placement by the rules that explain most of the file."""
    if _has_our_names(layers, arrays):
        return _own_placement(layers, arrays)
    layouts = [one for one in LAYOUTS if not networks or networks.intersection(one.networks)]
    found: list[Placement] = []
    refused: list[ValueError] = []
    for layout in layouts:
        try:
            found.append(place(layers, arrays, layout))
        except ValueError as error:
            refused.append(error)
    found = [one for one in found if one.values]
    if found:
        return min(found, key=lambda one: len(one.unexplained) + len(one.missing))
    if refused and networks:
        raise refused[0]
    keys = ", ".join(map(repr, list(arrays.arrays)[:_MOST]))
    known = ", ".join(dict.fromkeys(layout.source for layout in layouts))
    raise ValueError(
        f"weights: received {files.shown(file)} with the names {keys}, none of which fits; "
        f"expected those of {f'{known} or ' if known else ''}its own layers, such as "
        f"{next(_variables(layers))[0]!r}. Pass the network that the file is of."
    )


# --- Files with the names of our own layers.


def _has_our_names(layers: Mapping[str, Any], arrays: NamedArrays) -> bool:
    return any(name in arrays.arrays for name, _ in _variables(layers))


def _own_placement(layers: Mapping[str, Any], arrays: NamedArrays) -> Placement:
    wanted = dict(_variables(layers))
    rest = [key for key in arrays.arrays if key not in wanted]
    has_head = any(is_head(layer) for layer in layers)
    absent = [key for key in rest if not has_head and is_head(key.rsplit("/", 1)[0])]
    return Placement(
        source=OURS,
        values={key: Value(array, key) for key, array in arrays.arrays.items() if key in wanted},
        left_out=dict.fromkeys(absent, "the model is without its top"),
        unexplained=tuple(key for key in rest if key not in absent),
        missing=tuple(name for name in wanted if name not in arrays.arrays),
    )


# --- What a file lacks, and what has no place.


def _check_complete(
    file: Any, placement: Placement, adapted: Adapted, arrays: NamedArrays, strict: bool
) -> None:
    if not strict or not (placement.unexplained or adapted.missing):
        return
    said = []
    if placement.unexplained:
        count = f"{len(placement.unexplained):,} names that no rule explains"
        said.append(f"has {count}: {_first(placement.unexplained)}")
    if adapted.missing:
        said.append(f"lacks {len(adapted.missing):,} weights: {_first(adapted.missing)}")
        near = _nearest(adapted.missing[0], placement, arrays)
        said.append(f"the names in it that are nearest to {adapted.missing[0]!r} are {near}")
    raise ValueError(
        f"weights: received {files.shown(file)}, which, by {placement.source}'s names, "
        f"{', '.join(said)}; expected each weight of the model once. Pass the network that the "
        "file is of, or strict=False to load the rest."
    )


def _first(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(map(shown, names[:_MOST])) + more


def _nearest(wanted: str, placement: Placement, arrays: NamedArrays) -> str:
    """Return the names in the file, preferably unused ones, that are nearest to a weight's."""
    names = list(placement.unexplained) or list(arrays.arrays)
    near = difflib.get_close_matches(wanted, names, n=_MOST, cutoff=0.0)
    return ", ".join(f"{shown(name)} {tuple(arrays.arrays[name].shape)}" for name in near)


def _report(
    file: Any, arrays: NamedArrays, networks: Names, placement: Placement, adapted: Adapted
) -> WeightsReport:
    return WeightsReport(
        file=os.fspath(file),
        format=arrays.kind,
        weights=None,
        network=" or ".join(sorted(networks)) or None,
        source=placement.source,
        taken=arrays.taken,
        loaded={name: value.key for name, value in adapted.values.items()},
        values={name: value.array.size for name, value in adapted.values.items()},
        adapted=adapted.adapted,
        anew=adapted.anew,
        left_out=placement.left_out,
        unexplained=placement.unexplained,
        missing=adapted.missing,
        notes=placement.notes,
    )
