"""Whole networks with values through which a signal lasts, and what folding makes of them."""

import csv
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from helpers import blank_kernels, filled, images, random_state
from keras_convnets import create_model, fold, fold_report_of, list_models
from keras_convnets.graph.functional import graph_of, nodes_of
from keras_convnets.zoo import find

TABLE = Path(__file__).with_suffix(".csv")
OUTPUTS = 10
SPREAD = 0.02  # between images, relative to the largest output: 2,000 times the tolerance


class Counts(NamedTuple):
    """The size of a network's small images, its normalisations, and how many of them fold."""

    size: int
    folded: int
    norms: int


class Found(NamedTuple):
    """What folding made of a network.

    Differences are relative to the largest output; ``spread`` is that between the images.
    """

    folded: int
    norms: int
    difference: float
    spread: float
    layers: int
    left: int


def table():
    """Return the counts of all networks: those registered, and those of keras.applications."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {
            row.pop("network"): Counts(**{key: int(value) for key, value in row.items()})
            for row in csv.DictReader(lines)
        }


def applications():
    """Return the names of the networks of keras.applications."""
    return [name for name in dir(keras.applications) if name[0].isupper()]


def network(name, size, data_format="channels_last"):
    """Return a lively network of either kind, and two images for it that differ in strength too."""
    keras.utils.set_random_seed(0)  # for dropout, as statistics are settled
    with blank_kernels():
        if name in list_models():
            model = _registered(name, size, data_format)
        else:
            build = getattr(keras.applications, name)
            shape = (size, size, 3)
            model = build(weights=None, include_top=False, pooling="avg", input_shape=shape)
    x = _images(model, data_format, 8)
    x[1] *= 3
    return lively(model, x), x[:2]


def found(model, x):
    """Fold a model, and compare what both compute."""
    folded = fold(model)
    ones, others = (computed(one, x) for one in (model, folded))
    report = fold_report_of(folded)
    return Found(
        report.folded,
        len(report.rows),
        max(np.abs(a - b).max() / np.abs(a).max() for a, b in zip(ones, others, strict=True)),
        spread(ones),
        len(model.layers),
        len(folded.layers),
    )


def lively(model, x):
    """Give a network values of which each matters, and which do not magnify rounding.

    The statistics are drawn, and brought half way to those of the images ``x`` until a signal lasts
    to the end: not more often, for to divide by the deviation of few values magnifies rounding. So
    do large residuals, of which the shortcuts leave less with small kernels. And so do gates, as of
    squeeze-and-excitation: they multiply features by what is computed from the same features, which
    doubles a relative difference in each block. Small kernels keep them near a half.
    """
    shortcuts = any(isinstance(layer, keras.layers.Add) for layer in model.layers)
    filled(model, random_state(model, kernels=0.75 if shortcuts else 1))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # which it computes with, rather than its variables
        if isinstance(layer, keras.layers.DepthwiseConv2D):  # whose inputs are single channels
            layer.kernel.assign(layer.kernel * np.sqrt(layer.kernel.shape[-2]))
    for layer in gates(model):
        for weight in layer.trainable_variables:
            weight.assign(weight * 0.2)
    for _ in range(8):
        if lasts(computed(model, x[:2])):
            break
        settle(model, x)
    return model


def lasts(outputs):
    """Return whether a signal reached the outputs, and did not overflow."""
    largest = max(np.abs(output).max() for output in outputs)
    return np.isfinite(largest) and largest < 1e4 and spread(outputs) > SPREAD


def spread(outputs):
    """Return by how much the images differ, relative to the largest output: the least of them."""
    return min(np.ptp(output, axis=0).max() / np.abs(output).max() for output in outputs)


def settle(model, x):
    """Bring the statistics of a network half way to those of these images."""
    norms = [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.5
    model(x, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def gates(model):
    """Return the layers between the mean of some features and their product with those features."""
    nodes = list(nodes_of(graph_of(model)))
    maker = {id(tensor): node for node in nodes for tensor in node.outputs}
    result = []
    for node in nodes:
        for tensor in node.arguments.keras_tensors:
            if not isinstance(node.operation, keras.layers.Multiply):
                continue
            layers, made = [], maker[id(tensor)]
            while len(given := made.arguments.keras_tensors) == 1:
                if isinstance(made.operation, keras.layers.GlobalAveragePooling2D):
                    result += layers
                    break
                if isinstance(made.operation, keras.Layer):
                    layers.append(made.operation)
                made = maker[id(given[0])]
    return result


def _registered(name, size, data_format):
    shape = (find(name).published.input_shape[0], size, size)
    try:  # logits, which no softmax presses together
        return create_model(
            name, shape, OUTPUTS, data_format=data_format, classifier_activation=None
        )
    except ValueError:  # one whose outputs are its own
        return create_model(name, shape, OUTPUTS, data_format=data_format)


def _images(model, data_format, count):
    """Return images as a model expects them: pixels to 255 where it prepares them by itself."""
    shape = model.inputs[0].shape[1:]
    shape = shape if data_format == "channels_first" else (shape[-1], *shape[:-1])
    x = images(shape, data_format, count, seed=count)
    prepares = any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers[:3])
    return 40 * x + 128 if prepares else x


def computed(model, x):
    """Return all outputs of a model, as arrays."""
    outputs = keras.tree.flatten(model(x, training=False))
    return [keras.ops.convert_to_numpy(output) for output in outputs]
