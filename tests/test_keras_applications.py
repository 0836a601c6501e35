"""Networks that are graphs of keras.applications: the same counts, and the same outputs."""

import keras
import numpy as np
import pytest

import paper
from helpers import application, blank_kernels, filled, images, random_state
from keras_convnets import cost, create_model
from twins import copy_weights, twin_layers

# The smallest sizes that leave maps of more than one pixel, or that keras.applications takes. The
# Inceptions' outputs are compared with their features, in their own file.
SIZES = {
    "vgg_16": 32,
    "resnet_v1_50_keras": 64,
    "resnet_v2_50_keras": 64,
    "densenet_121_keras": 64,
}


@pytest.mark.parametrize(("name", "twin"), paper.KERAS_APPLICATIONS.items())
def test_counts_are_those_of_keras_applications(name, twin):
    with keras.StatelessScope(initialize_variables=False):
        ours = create_model(name)
    theirs = application(twin)
    one, other = cost(ours), cost(theirs)
    assert ours.count_params() == theirs.count_params()
    assert one.trainable_params == other.trainable_params
    assert one.macs == other.macs
    for layer, match in twin_layers(ours, theirs):
        assert layer.output.shape == match.output.shape


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_outputs_are_those_of_keras_applications(name, size):
    with blank_kernels():
        theirs = getattr(keras.applications, paper.KERAS_APPLICATIONS[name])(
            weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None
        )
        ours = create_model(name, (3, size, size), 10, classifier_activation=None)
    copy_weights(filled(theirs, random_state(theirs, kernels=0.35)), ours)
    x = images((3, size, size), "channels_last")
    expected, found = (keras.ops.convert_to_numpy(model(x)) for model in (theirs, ours))
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    print(f"{name} against {paper.KERAS_APPLICATIONS[name]}: {difference:.1e}")
    assert np.ptp(expected) > 1e-3 * np.abs(expected).max()  # outputs that tell classes apart
    assert difference < 1e-5
