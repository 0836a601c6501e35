"""A user's own ``compile`` and ``fit`` of our models: Keras', but for the update of weights."""

import copy
import inspect
import json
import pickle
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from keras_convnets.fast.layers import fast_layers

VECTORS = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")
LABELS = np.arange(8) % 4
LOSS = "sparse_categorical_crossentropy"


def dense():
    head = layers.Dense(4, "softmax")
    return keras.Sequential([keras.Input((16,)), head])


def is_fast(optimizer):
    return "update_step" in vars(optimizer)


def pairs(model):
    """Return what compiles the model with Keras' own optimizer, and with the fast one."""
    return (lambda *given: keras.Model.compile(model, *given)), model.compile


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: "sgd",
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    ],
)
def test_weights_after_training_are_those_of_keras_optimizer(optimizer):
    model = fast_layers(dense())
    start, found = model.get_weights(), []
    for compile_it in pairs(model):
        model.set_weights(start)
        compile_it(optimizer(), LOSS)
        model.fit(VECTORS, LABELS, batch_size=4, epochs=2, shuffle=False, verbose=0)
        found.append((model.get_weights(), is_fast(model.optimizer)))
    (own, was_fast), (ours, now_fast) = found
    assert (was_fast, now_fast) == (False, True)
    for one, other in zip(ours, own, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_the_model_keeps_what_it_was_given():
    model = fast_layers(dense())
    assert type(model) is keras.Sequential
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    config = optimizer.get_config()
    model.compile(optimizer=optimizer, loss=LOSS)
    assert model.optimizer is optimizer
    assert type(optimizer) is keras.optimizers.SGD
    assert optimizer.get_config() == config
    assert inspect.signature(model.compile) == inspect.signature(dense().compile)


@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_files_are_those_of_keras(kind):
    model, written = fast_layers(dense()), []
    for compile_it in pairs(model):
        compile_it(kind(0.1, name="mine"), LOSS, None, ["accuracy"])
        model.save("model.keras")
        with zipfile.ZipFile("model.keras") as archive:
            written.append(json.loads(archive.read("config.json"), object_hook=without_ids))
    assert written[0] == written[1]
    assert "keras_convnets" not in json.dumps(written[1])
    assert "compile" not in vars(keras.models.load_model("model.keras", compile=False))


def without_ids(config):
    """Leave out what Keras numbers by the places of objects in memory."""
    return {name: value for name, value in config.items() if name != "shared_object_id"}


def test_copies_are_keras_own():
    model = fast_layers(dense())
    model.compile("sgd", LOSS)
    model.fit(VECTORS, LABELS, verbose=0)
    for again in (
        keras.models.clone_model(model),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ):
        assert "compile" not in vars(again)
        assert [type(layer) for layer in again.layers] == [layers.Dense]
    optimizer = pickle.loads(pickle.dumps(model.optimizer))
    assert optimizer.get_config() == model.optimizer.get_config()
    assert not is_fast(optimizer)


def test_compiling_from_a_configuration():
    model, other = fast_layers(dense()), fast_layers(dense())
    model.compile(keras.optimizers.SGD(0.25), LOSS)
    other.compile_from_config(model.get_compile_config())
    assert is_fast(other.optimizer)
    assert other.get_compile_config() == model.get_compile_config()


def test_loss_scaling():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = fast_layers(dense())
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("sgd", LOSS)
    assert is_fast(model.optimizer.inner_optimizer)


def test_no_optimizer():
    model = fast_layers(dense())
    model.compile(None, LOSS)
    assert model.optimizer is None


def test_optimizers_of_other_classes_are_left_alone():
    class Own(keras.optimizers.SGD):
        pass

    model = fast_layers(dense())
    for optimizer in (Own(), keras.optimizers.RMSprop()):
        model.compile(optimizer, LOSS)
        assert not is_fast(model.optimizer)


def test_a_compile_of_the_users_own_is_called():
    class Own(keras.Model):
        def compile(self, number):
            self.given = number

    model = fast_layers(Own())
    model.compile(3)
    assert model.given == 3
    mine = dense()
    mine.compile = print
    assert fast_layers(mine).compile is print


def test_other_backends_are_left_alone(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert "compile" not in vars(fast_layers(dense()))
