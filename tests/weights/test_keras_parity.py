"""Weights of keras.applications compute the same in our networks.

Each network of keras.applications gets lively weights, statistics included, and Keras writes them
as it published them: HDF5 with a list of layers. Loaded by us, the logits are the same.
"""

import os

import keras
import numpy as np
import pytest

import paper
import trust
from helpers import FORMATS, blank_kernels, filled
from keras_convnets import create_model, load_weights, save_weights
from keras_convnets.weights.rules.keras import APPLICATIONS

QUICK = "resnet_v1_50_keras"
IN_BOTH_FORMATS = (  # one of each kind of block
    *("resnet_v2_50_keras", "densenet_121_keras", "vgg_16"),
    *("inception_v3_keras", "inception_resnet_v2"),
)
OUTPUTS = 10
SIZES = ((64, 64), (72, 88))
LARGER = ((96, 96), (107, 91))
CAFFE = np.float32([123.68, 116.779, 103.939])  # means of red, green and blue
GAINS = {"inception_resnet_v2": 1.5}


def application(name):
    """Return a network of keras.applications for images of any size, with lively weights."""
    build = getattr(keras.applications, paper.KERAS_APPLICATIONS[name])
    flat = name.startswith("vgg")
    shape = (*SIZES[0], 3) if flat else (None, None, 3)
    with blank_kernels():
        if flat:
            model = build(
                weights=None, input_shape=shape, classes=OUTPUTS, classifier_activation=None
            )
        else:
            base = build(weights=None, include_top=False, pooling="avg", input_shape=shape)
            top = keras.layers.Dense(OUTPUTS, name="predictions")
            model = keras.Model(base.input, top(base.output))
    return filled(model, lively_state(model, GAINS.get(name, 0.4 if "resnet_v" in name else 1)))


def lively_state(model, gain):
    """Return values through which a signal lasts, none of them alike; quicker than normal ones."""
    rng = np.random.default_rng(0)

    def value(variable):
        noise = rng.random(variable.shape, "float32")
        if len(variable.shape) > 1:
            noise -= np.float32(0.5)
            return noise * np.float32(gain * np.sqrt(24 / np.prod(variable.shape[:-1])))
        start = 1 if variable.name in ("gamma", "moving_variance") else 0
        return (start + 0.2 * noise - (0.1 if not start else 0)).astype(variable.dtype)

    variables = model.trainable_variables, model.non_trainable_variables
    return [[value(variable) for variable in kind] for kind in variables]


def photographs(size):
    """Return images of red, green and blue, from 0 to 255, of different brightness."""
    images = np.random.default_rng(1).random((2, *size, 3), "float32")
    return images * np.float32([255, 85])[:, None, None, None]


def both_images(name, size):
    """Return the same images as keras.applications prepares them, and as we do."""
    x = photographs(size)
    if APPLICATIONS[name].bgr:
        return keras.applications.resnet.preprocess_input(x.copy()), x - CAFFE
    return x / 127.5 - 1, x / 127.5 - 1


def ours(name, data_format="channels_last", **options):
    flat = name.startswith("vgg") and options.get("include_top", True)
    shape = (3, *SIZES[0]) if flat else (3, None, None)
    options = {"classifier_activation": None, "data_format": data_format, **options}
    with blank_kernels():
        return create_model(name, shape, OUTPUTS, **options)


def logits(model, x, data_format="channels_last"):
    x = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    return keras.ops.convert_to_numpy(model(x))


def difference(name, data_format, size, found, expected):
    range_of_outputs = np.ptp(expected, axis=-1).max()
    assert found.shape == expected.shape
    assert range_of_outputs > 0.1 * np.abs(expected).max()
    assert np.ptp(expected, axis=0).max() > 1e-2 * np.abs(expected).max()
    relative = np.abs(found - expected).max() / range_of_outputs
    trust.show(f"{name} {data_format}", "keras", size, relative)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You are saving")
def test_logits():
    compare(QUICK, FORMATS)


@pytest.mark.skipif(
    "KERAS_CONVNETS_TEST_DEEP" not in os.environ,
    reason="the other networks are compared by .ci/run",
)
@pytest.mark.parametrize("name", [name for name in APPLICATIONS if name != QUICK])
@pytest.mark.filterwarnings("ignore:You are saving")
def test_logits_of_the_others(name):
    compare(name, FORMATS if name in IN_BOTH_FORMATS else FORMATS[1:])


def compare(name, formats):
    theirs = application(name)
    theirs.save("weights.h5")
    sizes = LARGER if "inception" in name else SIZES
    sizes = sizes[: 1 if name.startswith("vgg") else 2]
    expected = {size: logits(theirs, both_images(name, size)[0]) for size in sizes}
    for data_format in formats:
        model = ours(name, data_format)
        report = load_weights(model, "weights.h5")
        assert (report.source, report.format) == ("keras", "keras hdf5")
        assert (report.left_out, report.anew, report.unexplained) == ({}, {}, ())
        for size in sizes:
            found = logits(model, both_images(name, size)[1], data_format)
            difference(name, data_format, size, found, expected[size])
    if name.startswith("vgg"):
        compare_feature_maps(name, theirs)
    check_written(model, theirs)


def compare_feature_maps(name, theirs):
    """Compare a network that takes one size only at another, without its head."""
    with blank_kernels():
        bare = getattr(keras.applications, paper.KERAS_APPLICATIONS[name])
        bare = bare(weights=None, include_top=False, input_shape=(None, None, 3))
    bare.set_weights(theirs.get_weights()[: len(bare.weights)])
    model = ours(name, include_top=False)
    assert len(load_weights(model, "weights.h5").left_out) == 6
    x, y = both_images(name, SIZES[1])
    found, expected = (logits(one, z).reshape(2, -1) for one, z in ((model, y), (bare, x)))
    difference(f"{name} without top", "channels_last", SIZES[1], found, expected)


def check_written(model, theirs):
    """Check that Keras loads what we write, by order, and with the same values."""
    save_weights(model, "written.h5", layout="keras")
    expected = theirs.get_weights()
    filled(theirs, lively_state(theirs, 0))
    theirs.load_weights("written.h5")
    for one, other in zip(theirs.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)
