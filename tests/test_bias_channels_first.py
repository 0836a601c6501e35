"""A bias belongs to the channels, also where there are as many columns as channels.

Keras (3.15, TensorFlow) adds it to the columns then, channels first, in eager mode; in a graph the
values are right by chance and the gradients are wrong.
"""

import keras
import numpy as np
import pytest

from helpers import FORMATS, channels_first, images
from keras_convnets import axes, units

SHAPE = (3, 5, 6)
UNITS = {
    "conv": units.conv(6, 1),
    "strided": units.conv(3, 3, strides=2),
    "grouped": units.conv(6, 3, groups=3, padding="symmetric"),
    "depthwise": units.chain(units.conv(6, 1, use_bias=False), units.scale_and_shift()),
}


def build(unit, data_format, shape):
    with axes.building(data_format):
        inputs = keras.Input(axes.keras_shape(shape))
        return keras.Model(inputs, units.chain(unit, units.relu())(inputs))


@pytest.mark.parametrize("shape", [SHAPE, (3, None, None)], ids=["known", "unknown"])
@pytest.mark.parametrize("name", UNITS)
def test_both_formats_compute_the_same_forward_and_backward(name, shape):
    eager, graph, trained, weights = [], [], [], None
    for data_format in FORMATS:
        model = build(UNITS[name], data_format, shape)
        if weights is None:
            rng = np.random.default_rng(0)
            weights = [rng.standard_normal(weight.shape) for weight in model.get_weights()]
        model.set_weights(weights)
        x = images(SHAPE, data_format)
        eager.append(channels_first(model(x), data_format))
        graph.append(channels_first(model.predict(x, verbose=0), data_format))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(x, np.zeros_like(model(x)))
        trained.append(model.get_weights())
    assert eager[0].shape[1] == eager[0].shape[-1]  # as many columns as channels
    for found in (eager[0], graph[0], graph[1]):
        np.testing.assert_allclose(found, eager[1], rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def packages(model):
    """Return the package of each layer's class."""
    return [type(layer).__module__.split(".")[0] for layer in model.layers]


@pytest.mark.parametrize("name", UNITS)
def test_the_class_does_not_depend_on_the_size(name):
    sizes = [(5, 6), (7, 9), (None, None)]
    for data_format in FORMATS:
        models = [build(UNITS[name], data_format, (3, *size)) for size in sizes]
        expected = "keras_convnets" if data_format == "channels_first" else "keras"
        assert {packages(model)[-2] for model in models} == {expected}
        kinds = [[type(layer) for layer in model.layers] for model in models]
        assert kinds[0] == kinds[1] == kinds[2]


def test_without_a_bias_the_class_is_keras_own():
    for data_format in FORMATS:
        model = build(units.conv(6, 1, use_bias=False), data_format, SHAPE)
        assert set(packages(model)) == {"keras"}


def test_files_with_both_classes_open_and_fit_the_networks_of_today():
    model = build(units.chain(units.conv(6, 1), units.conv(5, 1)), "channels_first", SHAPE)
    ours, other, relu = model.layers[1:]
    keras_own = keras.layers.Conv2D.from_config(other.get_config())
    inputs = keras.Input(SHAPE)
    old = keras.Model(inputs, relu(keras_own(ours(inputs))))  # as 0.1.0 made it for some sizes
    old.set_weights([np.random.default_rng(0).random(w.shape) for w in old.get_weights()])
    old.save("old.keras")
    old.save_weights("old.weights.h5")
    model.load_weights("old.weights.h5")
    x = images(SHAPE, "channels_first")
    for found in (keras.models.load_model("old.keras"), model):
        np.testing.assert_array_equal(found(x), old(x))


def test_saved_and_loaded(tmp_path):
    for name in ("conv", "depthwise"):
        model = build(UNITS[name], "channels_first", SHAPE)
        model.set_weights([np.random.default_rng(0).random(w.shape) for w in model.get_weights()])
        x = images(SHAPE, "channels_first")
        model.save("model.keras")
        loaded = keras.models.load_model("model.keras")
        np.testing.assert_array_equal(loaded(x), model(x))
