"""Networks that are graphs of keras.applications: the same counts, shapes and order of layers."""

import re

import numpy as np
import pytest

import paper
from helpers import application
from keras_convnets import cost, create_model
from keras_convnets.keras_private import without_values
from keras_convnets.weights.placing.keras_files import NETWORKS, networks_of
from keras_convnets.weights.placing.keras_layers import by_name
from keras_convnets.weights.rules.keras import order
from twins import twin_layers


@pytest.mark.parametrize(("name", "twin"), paper.KERAS_APPLICATIONS.items())
def test_counts_are_those_of_keras_applications(name, twin):
    with without_values():
        ours = create_model(name)
    theirs = application(twin)
    one, other = cost(ours), cost(theirs)
    assert ours.count_params() == theirs.count_params()
    assert one.trainable_params == other.trainable_params
    assert one.macs == other.macs
    twins = twin_layers(ours, theirs)
    for layer, match in twins:
        assert layer.output.shape == match.output.shape
    check_order(name, theirs, {match.name: layer.name for layer, match in twins})


def check_order(name, theirs, twins):
    """Check the table of the order and the names of layers, by which weight files are read."""
    found = [layer.name for layer in theirs.layers if layer.weights]
    assert [twins[layer] for layer in found] == [pair.ours for pair in order(name)]
    assert by_name(found, order(name)) == twins  # the numbers that Keras gives go on from others
    numbered = re.compile(r"(conv2d|batch_normalization)(_\d+)?")
    named = [layer for layer in found if not numbered.fullmatch(layer)]
    assert named == [pair.theirs for pair in order(name) if not numbered.fullmatch(pair.theirs)]
    weights = {
        f"{layer.name}/{n}": np.broadcast_to(np.float32(0), weight.shape)
        for layer in theirs.layers
        for n, weight in enumerate(layer.weights)
    }
    assert networks_of(weights) == [name]


def test_the_networks_whose_weights_are_read():
    assert set(NETWORKS) == set(paper.KERAS_APPLICATIONS)
