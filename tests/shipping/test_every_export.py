"""Every network is folded, written in all kinds of files, and says there what the model says.

By default, these are some networks that have all settings of layers between them, each as far as it
is needed: a network with a layer of a new kind is among them by itself. With
KERAS_CONVNETS_TEST_DEEP_EXPORT, they are all, and whole.
"""

import os
import re
import warnings

import keras
import numpy as np
import pytest

from helpers import (
    blank_kernels,
    computed,
    filled,
    images,
    outline,
    random_state,
    settled_state,
    smallest,
)
from keras_convnets import create_model, fold, fold_report_of, list_models, model_info
from keras_convnets.shipping.engines.kinds import KINDS, SAVED_MODEL, is_installed
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.graph import graph_of
from keras_convnets.shipping.export.writers import write

if keras.backend.backend() != "tensorflow":
    pytest.skip("export needs TensorFlow", allow_module_level=True)
HERE = [kind for kind in KINDS if is_installed(kind)]
if HERE == [SAVED_MODEL]:
    pytest.skip("no runtime of the extras is installed", allow_module_level=True)

TOLERANCE = 1e-4  # relative to the largest output
OUTPUTS = 10
LARGE = 2**22  # weights of a dense layer
MERGING = (keras.layers.Add, keras.layers.Concatenate, keras.layers.Multiply)
DEEP = "KERAS_CONVNETS_TEST_DEEP_EXPORT"
# Networks of more layers have none of a kind that no smaller one has whose name is the same but
# for its numbers of layers or channels.
MANY_LAYERS = 250
# What tells two layers of a type apart, but not the operations that they become.
_VALUES = ("name", "dtype", "trainable", "filters", "units", "channels", "indices", "batch_shape")
_TRAINING = ("initializer", "regularizer", "constraint", "seed", "renorm", "synchronized", "shape")


def without_large_dense(model):
    """Return a classifier up to its first large dense layer, which takes long."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense) and np.prod(layer.kernel.shape) > LARGE:
            return keras.Model(model.input, layer.input, name=model.name)
    output = model.outputs[0]  # the main one
    return model if len(model.outputs) == 1 else keras.Model(model.input, output, name=model.name)


def settings(model):
    """Return what decides how the layers of a model are written: types, sizes, padding, groups."""
    found = set()
    for layer in model.layers:
        config = {
            name: min(value, 2) if name == "groups" else str(value)
            for name, value in layer.get_config().items()
            if not isinstance(value, float)
            and name not in _VALUES
            and not name.endswith(_TRAINING)
            and not name.startswith("renorm")
        }
        found.add((type(layer).__name__, *sorted(config.items())))
    return found


def cover(networks):
    """Return cheap networks that have all settings of all of them, and which each is to show.

    Args:
        networks: the settings and the cost of each network, by its name.
    """
    chosen, missing = {}, set().union(*(found for found, _ in networks.values()))
    while missing:
        name = max(networks, key=lambda name: len(networks[name][0] & missing) / networks[name][1])
        chosen[name] = networks[name][0] & missing
        missing -= chosen[name]
    return chosen


def candidates():
    """Return the names of the networks whose layers are looked at."""
    series = {}
    for name in sorted(list_models(), key=lambda name: model_info(name).layers):
        series.setdefault(re.sub(r"\d{2,}", "#", name), []).append(name)
    return [
        name
        for first, *others in series.values()
        for name in (first, *(one for one in others if model_info(one).layers <= MANY_LAYERS))
    ]


def outlined(name):
    """Return the settings of a network, and about how long its test takes."""
    model = without_large_dense(outline(name))
    return settings(model), 40 + len(model.layers)


def first_part(model, wanted):
    """Return a model until it has had layers of all wanted settings: later ones repeat them."""
    for layer in model.layers:
        if isinstance(layer, MERGING):
            flat = keras.layers.Flatten()(layer.output)
            part = keras.Model(model.input, flat, name=model.name)
            if settings(part) >= wanted:
                return part
    return model


def lively_network(name, wanted=None):
    """Return a network of few outputs whose weights matter, images for it, and what it says.

    Args:
        name: its name.
        wanted: the settings that it has to have; by default, it is whole.
    """
    logits = {"classifier_activation": None}  # which no softmax presses together
    try:
        shape = smallest(name, num_outputs=OUTPUTS, **logits)[0]
    except AssertionError:  # this network has its own outputs
        logits = {}
        shape = smallest(name, num_outputs=OUTPUTS)[0]
    with blank_kernels():
        model = without_large_dense(create_model(name, shape, OUTPUTS, **logits))
    model = model if wanted is None else first_part(model, wanted)
    batch = images(shape, "channels_last")
    batch[1] *= 3
    state = random_state(model, kernels=1)
    [expected] = computed(model, state, batch)
    if not (spread(expected) > 0.01 and np.abs(expected).max() < 1e4):
        state = settled_state(model, state, batch)
        [expected] = computed(model, state, batch)
    return filled(model, state), batch, expected


def spread(outputs):
    """Return by how much the images differ, relative to the largest output."""
    return np.ptp(outputs, axis=0).max() / np.abs(outputs).max()


def check(name, folder, wanted=None):
    """Check a network in all kinds that are installed; it is traced once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers that overflow before the state is settled
        model, batch, expected = lively_network(name, wanted)
    assert np.isfinite(expected).all(), name
    assert spread(expected) > 0.01, name
    folded = fold(model)
    norms = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    assert len(fold_report_of(folded).rows) == norms, name
    graph = graph_of(folded)
    for kind in HERE:
        path = folder / f"{name}{kind.suffix}"
        write(kind, graph, path, "float32")
        found = open_engine(path).run(batch)
        assert found.shape == expected.shape, (name, kind.name)
        difference = np.abs(found - expected).max() / np.abs(expected).max()
        assert difference < TOLERANCE, (name, kind.name, difference)


@pytest.mark.slow
@pytest.mark.skipif(DEEP in os.environ, reason="all networks are exported")
def test_networks_that_have_all_settings_of_layers(tmp_path):
    networks = {name: outlined(name) for name in candidates()}
    chosen = cover(networks)
    assert len(chosen) < len(networks) / 3
    for name, wanted in chosen.items():
        check(name, tmp_path, wanted)


@pytest.mark.slow
@pytest.mark.skipif(DEEP not in os.environ, reason=f"an hour: set {DEEP}=1")
@pytest.mark.parametrize("name", list_models())
def test_every_network(name, tmp_path):
    check(name, tmp_path)


def test_a_layer_of_a_new_kind_is_covered():
    def network(*layers):
        return settings(keras.Sequential([keras.Input((8, 8, 4)), *layers]))

    conv = keras.layers.Conv2D
    networks = {
        "two": (network(conv(2, 3), conv(2, 3, padding="same")), 1),
        "one": (network(conv(8, 3)), 9),  # only its number of channels is new
        "grouped": (network(conv(4, 3, groups=2)), 1),
        "strided": (network(conv(4, 3, strides=2)), 1),
        "other": (network(keras.layers.DepthwiseConv2D(3)), 1),
        "dear": (network(conv(4, 3, groups=4), keras.layers.DepthwiseConv2D(3)), 9),
    }
    assert sorted(cover(networks)) == ["grouped", "other", "strided", "two"]
