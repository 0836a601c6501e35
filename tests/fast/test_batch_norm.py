"""The fused batch normalisation against Keras' own layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_convnets import fast_batch_norm
from keras_convnets.fast.batch_norm import quicken

TOLERANCE = {"float32": 2e-5, "bfloat16": 2e-2, "float16": 4e-3}


def pair(shape, **options):
    """Return Keras' layer and the same one, fast, with weights that are not the initial ones."""
    pair = layers.BatchNormalization(**options), quicken(layers.BatchNormalization(**options))
    random = np.random.default_rng(0)
    for layer in pair:
        layer.build(shape)
    values = [random.uniform(0.5, 2, weight.shape) for weight in pair[0].weights]
    for layer in pair:
        layer.set_weights(values)
    return pair


def images(shape, dtype="float32"):
    return tf.cast(np.random.default_rng(1).normal(3, 2, shape), dtype)


def results(layer, x, training=True, graph=True):
    """Return the outputs of a layer, its gradients, and its weights thereafter."""

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(tf.cast(y, "float32") ** 3)
        return y, tape.gradient(loss, [x, *[one.value for one in layer.trainable_weights]])

    y, gradients = (tf.function(step) if graph else step)(x)
    assert y.dtype == x.dtype
    return [tf.cast(one, "float32").numpy() for one in (y, *gradients, *layer.weights)]


def assert_equal(ours, own, dtype="float32"):
    for one, other in zip(ours, own, strict=True):
        size = np.abs(other).max(initial=1)
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE[dtype] * size)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (1, 1, 1, 4), (1, 3, 3, 2), (4, 16, 16, 8)])
def test_is_keras_layer_to_rounding(shape, axis, dtype):
    own, fast = pair(
        shape,
        axis=axis,
        dtype=keras.dtype_policies.DTypePolicy(dtype if dtype == "float32" else f"mixed_{dtype}"),
    )
    x = images(shape, dtype)
    assert_equal(results(fast, x), results(own, x), dtype)


def test_any_model_becomes_fast_and_remains_the_same_model():
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.BatchNormalization()])
    config = model.get_config()
    assert fast_batch_norm(model) is model
    assert fast_batch_norm(model).get_config() == config
