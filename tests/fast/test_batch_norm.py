"""Models whose batch normalisations are fast: they remain those of Keras alone."""

import copy
import pickle
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from keras_convnets import ResnetBuilder, create_model, fast_batch_norm, load_model
from keras_convnets.fast import fused, kernels
from keras_convnets.keras_private import all_layers, without_values
from keras_convnets.training import RECIPES, Data, Settings, compile_model, new_head

IMAGES = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype("float32")
LABELS = np.arange(4)


@pytest.fixture
def ran(monkeypatch):
    """Return the names of the layers that the kernel was called for, as they are traced."""
    names, stock = [], fused._kernel
    monkeypatch.setattr(kernels, "_SMALLEST", 0)
    monkeypatch.setattr(
        fused, "_kernel", lambda layer, *given: names.append(layer.name) or stock(layer, *given)
    )
    return names


def network(policy="float32"):
    keras.config.set_dtype_policy(policy)
    try:
        return ResnetBuilder.build((3, 32, 32), 4, "basic_block", (1,))
    finally:
        keras.config.set_dtype_policy("float32")


def plain():
    """Return a user's own model with another inside, of Keras' layers alone."""
    inner = keras.Sequential([keras.Input((8, 8, 16)), layers.BatchNormalization()])
    x = keras.Input((32, 32, 3))
    y = inner(layers.Conv2D(16, 3, strides=4, padding="same")(x))
    shared = layers.BatchNormalization()
    y = shared(layers.ReLU()(shared(y)))
    return keras.Model(x, layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(y)))


class Own(keras.Model):
    """A subclass, with a subclass of the layer too."""

    class Norm(layers.BatchNormalization):
        pass

    def __init__(self):
        super().__init__()
        self.norm, self.own = layers.BatchNormalization(), self.Norm()

    def call(self, x, training=None):
        return self.own(self.norm(x, training=training), training=training)


def norms(model):
    return [one for one in all_layers(model) if isinstance(one, layers.BatchNormalization)]


def is_fast(model):
    (found,) = {"call" in vars(layer) for layer in norms(model)}  # all or none
    return found


def fit(model):
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(IMAGES, LABELS, batch_size=4, verbose=0)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_users_own_fit_of_our_networks_runs_the_kernel(policy, ran):
    model = network(policy)
    fit(model)
    assert set(ran) == {layer.name for layer in norms(model)}


def test_outputs_and_weights_after_training_are_those_of_keras_layers(ran):
    fast = network()
    own = keras.models.clone_model(fast)
    own.set_weights(fast.get_weights())
    assert is_fast(fast)
    assert not is_fast(own)
    for model in (fast, own):
        fit(model)
    for ours, expected in zip(fast.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet_v1_5_50", "densenet_121", "inception_v3", "vgg_16_bn"])
def test_networks_by_name_are_fast(name):
    with without_values():
        assert is_fast(create_model(name, (3, 224, 224)))


def test_a_file_is_that_of_keras_layers_and_is_fast_once_loaded(ran):
    model = network()
    model.save("fast.keras")
    for layer in norms(model):
        del layer.call
    model.save("own.keras")
    configs = []
    for file in ("fast.keras", "own.keras"):
        with zipfile.ZipFile(file) as archive:
            configs.append(archive.read("config.json"))
    assert configs[0] == configs[1]
    assert not is_fast(keras.models.load_model("fast.keras"))
    loaded = load_model("fast.keras")
    assert is_fast(loaded)
    fit(loaded)
    assert ran


def test_copies_are_keras_own():
    model = network()
    layer = norms(model)[0]
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert again.get_config() == layer.get_config()
        assert "call" not in vars(again)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(
            again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
        )


def test_a_new_head_keeps_it():
    assert is_fast(new_head(network(), 3))


def test_a_run_trains_any_model_so_that_it_computes_the_same_once_it_is_resumed():
    model = plain()
    data = Data.from_arrays(np.tile(IMAGES, (10, 1, 1, 1)), np.arange(40) % 4)
    compile_model(model, data, RECIPES["quick"], Settings())
    assert is_fast(model)


def test_any_model_becomes_fast_and_remains_the_same_model(ran):
    model = plain()
    config, weights = model.get_config(), model.get_weights()
    fit(model)
    assert not ran
    model.set_weights(weights)
    assert fast_batch_norm(model) is model
    assert is_fast(model)
    assert model.get_config() == config
    model.fit(IMAGES, LABELS, batch_size=4, verbose=0)  # traced anew
    assert len(ran) == 3  # the shared layer twice
    function = model.train_function
    assert fast_batch_norm(model).train_function is function  # nothing is left to change


def test_a_subclass_of_a_model_becomes_fast_but_none_of_the_layer():
    model = fast_batch_norm(Own())
    assert "call" in vars(model.norm)
    assert "call" not in vars(model.own)
    model(IMAGES, training=True)
    assert model.norm.moving_mean.numpy().any()


def test_a_layer_that_computes_otherwise_is_left_alone():
    model = plain()
    layer = model.layers[-4]
    layer.call = lambda x, training=None, mask=None: x
    mine = layer.call
    assert fast_batch_norm(model).layers[-4].call is mine


def test_synchronised_later(ran):
    model = fast_batch_norm(plain())
    for layer in norms(model):
        layer.synchronized = True
    fit(model)
    assert not ran


def test_other_backends_are_left_alone(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert not is_fast(fast_batch_norm(plain()))


@pytest.mark.parametrize("wrong", [None, "resnet_18", layers.BatchNormalization(), [1]])
def test_what_is_not_a_model(wrong):
    with pytest.raises(
        ValueError, match=r"^model: received .*; expected a Model. Pass one to fast_batch_norm"
    ) as caught:
        fast_batch_norm(wrong)
    assert "\n" not in str(caught.value)
