"""The facts of a card that a model knows itself."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import keras

from keras_convnets import axes, golden
from keras_convnets._version import __version__
from keras_convnets.analysis.cost.cost import Cost, cost
from keras_convnets.inference.every_output import main_output
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.keras_private import all_layers
from keras_convnets.known import known
from keras_convnets.shipping.card.facts import Card, Lines
from keras_convnets.weights.published import published


def card_of(model: Any, fingerprint: str) -> Card:
    """Return what a model knows of itself.

    The source is that of a network of this package; another model of the same name has other
    layers, and its source is not known. Costs are those of an image of the size that the model was
    trained on.

    Args:
        model: a classifier, before any folding.
        fingerprint: the digest of its weights.
    """
    what = known(model)
    shape: Any = axes.in_papers_order(model.input_shape, axes.format_of(model))
    if shape[0] is None and what.preprocessing is not None:
        shape = (what.preprocessing["channels"], *shape[1:])  # those that it was trained on
    kind = keras.layers.BatchNormalization
    outputs, names = outputs_of(main_output(model)), what.class_names or ()
    costs = _costs(model, shape, what.preprocessing)
    return Card(
        network=model.name,
        fingerprint=fingerprint,
        input_shape=shape,
        outputs=outputs.kind,
        classes=outputs.classes,
        class_names=names,
        preprocessing=what.preprocessing,
        parameters=model.count_params() if costs is None else costs.params,
        multiply_adds=None if costs is None else costs.macs,
        normalisations=sum(isinstance(layer, kind) for layer in all_layers(model)),
        source=_source(model),
        weights=what.weights,
        licence=_licence(what.weights, model.name),
        versions=versions(),
        is_binary=outputs.is_binary,
    )


def versions() -> Lines:
    """Return the versions of the packages that make a model."""
    others = ("keras", "tensorflow", "numpy")
    found = ((name, importlib.metadata.version(name)) for name in others)
    return (("keras_convnets", __version__), *found)


def _costs(model: Any, shape: Any, preprocessing: dict[str, Any] | None) -> Cost | None:
    """Return the costs of an image; ``None`` if its size is not known or a layer not countable."""
    channels, rows, cols = shape
    if preprocessing is not None:
        rows, cols = rows or preprocessing.get("rows"), cols or preprocessing.get("cols")
    if rows is None or cols is None:
        return None
    try:
        return cost(model, (channels, rows, cols))
    except ValueError:
        return None


def _source(model: Any) -> str | None:
    """Return the source of a network of this package, recognised by its name and its layers."""
    found = golden.networks().get(model.name)
    return found.source if found is not None and found.layers == len(model.layers) else None


def _licence(weights: str | None, network: str) -> str | None:
    if weights is None:
        return None
    rows = (row for row in published.rows(network) if row.name == weights)
    return next((row.licence or None for row in rows), None)
