"""L2 penalties in one operation against Keras' own."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets import create_model
from keras_convnets.fast.layers import fast_layers
from keras_convnets.fast.penalty import _FastL2, quicken
from keras_convnets.saved_models import read_model
from keras_convnets.training import new_head
from keras_convnets.training.recipe.compiling import set_weight_decay


def model_of(dtype="float32"):
    penalty = keras.regularizers.L2(0.01)
    conv = keras.layers.Conv2D(4, 3, kernel_regularizer=penalty, bias_regularizer="l1")
    dense = keras.layers.Dense(2, kernel_regularizer="l2")
    options = {"dtype": dtype}
    layers = [keras.Input((5, 5, 3), **options), conv, keras.layers.Flatten(), dense]
    model = keras.Sequential(layers)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.weights])
    return model


def losses_and_gradients(model):
    with tf.GradientTape() as tape:
        losses = model.losses
        total = tf.add_n(losses)
    weights = [one.value for one in model.trainable_weights if one.regularizer]
    return [*losses, *tape.gradient(total, weights)]


def test_losses_and_gradients_are_those_of_keras():
    own, fast = model_of(), model_of()
    config = fast.get_config()
    fast_layers(fast)
    assert [type(one.regularizer) is _FastL2 for one in fast.weights] == [True, False] * 2
    for one, other in zip(losses_and_gradients(fast), losses_and_gradients(own), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert fast.get_config() == config


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_other_types_are_left_to_keras(dtype):
    weight = keras.Variable(np.linspace(-1, 1, 5), dtype=dtype)
    own = keras.regularizers.L2(0.01)
    assert _FastL2(own)(weight) == own(weight)


def test_a_factor_that_is_changed_in_the_layer_counts():
    own, fast = model_of(), model_of()
    fast_layers(fast)
    for model in (own, fast):
        model.layers[0].kernel_regularizer.l2 = 3.0
        model.layers[2].kernel.regularizer.l2 = 2.0
    np.testing.assert_allclose(fast.losses, own.losses, rtol=1e-6)
    assert fast.layers[0].get_config()["kernel_regularizer"]["config"] == {"l2": 3.0}


def test_frozen_layers_have_no_penalty():
    layer = keras.layers.Dense(2, kernel_regularizer="l2")
    layer.build((None, 3))
    layer.trainable = False
    quicken(layer)
    assert layer.losses == []
    layer.trainable = True
    assert isinstance(layer.kernel.regularizer, _FastL2)


def test_every_model_of_ours_has_them_and_its_files_say_keras(tmp_path):
    model = create_model("cifar_resnet_20", (3, 8, 8), 4, l2_penalty=1e-3)
    set_weight_decay(model, 1e-4)
    model.save(tmp_path / "model.keras")
    for one in (model, read_model(tmp_path / "model.keras"), new_head(model, 3)):
        kinds = {type(weight.regularizer) for weight in one.weights} - {type(None)}
        assert kinds == {_FastL2}
        assert "FastL2" not in json.dumps(one.get_config())
    alone = keras.models.load_model(tmp_path / "model.keras")
    assert type(alone.layers[1].kernel.regularizer) is keras.regularizers.L2
    np.testing.assert_allclose(sum(alone.losses), sum(model.losses), rtol=1e-6)
