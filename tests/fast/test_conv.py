"""The gradient of 1 x 1 convolutions as a product of matrices, against Keras' own layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_convnets import create_model
from keras_convnets.fast.conv import quicken


def results(quick, strides, dtype, training=True):
    """Return outputs and gradients of a 1 x 1 convolution within a model, and its operations."""
    policy = "float32" if dtype == "float32" else f"mixed_{dtype}"
    layer = layers.Conv2D(4, 1, strides, use_bias=False, dtype=policy)
    model = keras.Sequential([keras.Input((5, 7, 3)), quicken(layer) if quick else layer])
    random = np.random.default_rng(0)
    layer.set_weights([random.normal(size=(1, 1, 3, 4))])
    x = tf.constant(random.normal(size=(2, 5, 7, 3)), "float32")

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=training)
            loss = tf.reduce_sum(tf.cast(y, "float32") ** 2)
        return y, tape.gradient(loss, [x, layer.kernel.value])

    kinds = {one.type for one in step.get_concrete_function(x).graph.get_operations()}
    y, gradients = step(x)
    return [tf.cast(one, "float32").numpy() for one in (y, *gradients)], kinds


@pytest.mark.parametrize("strides", [1, 2, (1, 2)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_is_keras_layer_to_rounding(strides, dtype, tolerance):
    fast, kinds = results(True, strides, dtype)
    own, _ = results(False, strides, dtype)
    assert "Conv2DBackpropFilter" not in kinds
    for one, other in zip(fast, own, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())


@pytest.mark.parametrize("images", [0, 2])
def test_graphs_that_do_not_know_the_sizes(images):
    layer = quicken(layers.Conv2D(4, 1, use_bias=False))
    model = keras.Sequential([keras.Input((5, 7, 3)), layer])

    @tf.function(input_signature=[tf.TensorSpec((None,) * 4)])
    def gradient(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True))
        return tape.gradient(loss, layer.kernel.value)

    found = gradient(tf.ones((images, 5, 7, 3)))
    np.testing.assert_array_equal(found, np.full((1, 1, 3, 4), images * 35))


def test_inference_and_half_floats_are_keras_own():
    assert "Conv2DBackpropFilter" in results(True, 1, "float32", training=False)[1]
    assert "Conv2DBackpropFilter" in results(True, 1, "float16")[1]


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 3, use_bias=False),
        layers.Conv2D(2, 1),
        layers.Conv2D(2, 1, groups=2, use_bias=False),
        layers.Conv2D(2, 1, use_bias=False, data_format="channels_first"),
        layers.Dense(2),
    ],
)
def test_other_layers_are_left_alone(layer):
    assert "convolution_op" not in vars(quicken(layer))


def test_our_networks_have_it_and_remain_those_of_keras():
    model = create_model("resnet_v1_5_50", (3, 32, 32), 4)
    quick = [one for one in model.layers if "convolution_op" in vars(one)]
    assert len(quick) == 36
    assert type(quick[0]) is layers.Conv2D
    clone = keras.models.clone_model(model)
    assert clone.get_config() == model.get_config()
