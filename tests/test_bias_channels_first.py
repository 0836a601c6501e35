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


def test_keras_own_layers_stand_wherever_they_are_right():
    def kind_of(unit, data_format, shape=SHAPE):
        layer = build(unit, data_format, shape).layers[-2]
        return type(layer).__module__.split(".")[0]

    assert kind_of(UNITS["conv"], "channels_first") == "keras_convnets"
    assert kind_of(UNITS["conv"], "channels_first", (3, None, None)) == "keras_convnets"
    assert kind_of(UNITS["conv"], "channels_last") == "keras"
    assert kind_of(units.conv(7, 1), "channels_first") == "keras"
    assert kind_of(units.conv(6, 1, use_bias=False), "channels_first") == "keras"
    assert kind_of(UNITS["depthwise"], "channels_last") == "keras"


def test_saved_and_loaded(tmp_path):
    for name in ("conv", "depthwise"):
        model = build(UNITS[name], "channels_first", SHAPE)
        model.set_weights([np.random.default_rng(0).random(w.shape) for w in model.get_weights()])
        x = images(SHAPE, "channels_first")
        model.save("model.keras")
        loaded = keras.models.load_model("model.keras")
        np.testing.assert_array_equal(loaded(x), model(x))
