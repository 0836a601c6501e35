"""The evaluation after each epoch: the numbers of Keras' own ``model.evaluate``."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.images.batches import evaluation_batches
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.compiling import compile_model
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.run import train
from keras_convnets.training.run.validation import Validation

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (26, 6, 6, 1), np.uint8)
ONE = np.arange(26) % 3
SEVERAL = RANDOM.integers(0, 2, (26, 3))
RECIPE = RECIPES["quick"].replace(epochs=2, batch_size=10, weight_decay=None)


def data_of(labels):
    names = ("a", "b", "c")[: 2 if labels.max() == 1 and labels.ndim == 1 else 3]
    return Data.from_arrays(PIXELS, labels, PIXELS, labels, class_names=names, name="few")


def network(units, activation, penalty=0.01, wide=8.0, policy="float32"):
    keras.utils.set_random_seed(3)
    kernels = {
        "kernel_initializer": keras.initializers.RandomNormal(0, wide),
        "kernel_regularizer": keras.regularizers.L2(penalty),
        "dtype": policy,
    }
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(2, 3, **kernels),
            keras.layers.BatchNormalization(dtype=policy),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(units, **kernels),
            keras.layers.Activation(activation, dtype="float32"),
        ]
    )


def batches_of(data):
    return evaluation_batches(data.validation, data.preprocessing, RECIPE.batch_size)


@pytest.mark.parametrize(
    ("model", "labels", "smoothing"),
    [
        (lambda: network(3, "softmax"), ONE, 0.0),
        (lambda: network(3, "softmax"), ONE, 0.1),
        (lambda: network(3, "linear"), ONE, 0.0),
        (lambda: network(1, "sigmoid"), ONE % 2, 0.0),
        (lambda: network(1, "linear"), ONE % 2, 0.1),
        (lambda: network(3, "sigmoid"), SEVERAL, 0.0),
        (lambda: network(3, "sigmoid"), ONE, 0.0),
        (lambda: network(3, "softmax", policy="mixed_bfloat16"), ONE, 0.0),
    ],
    ids=["softmax", "smoothed", "logits", "one", "one logit", "several", "spread", "bfloat16"],
)
def test_the_numbers_of_keras(model, labels, smoothing):
    """The last batch is smaller, probabilities are so near 0 that only their logits tell."""
    data, model = data_of(labels), model()
    objective = compile_model(model, data, RECIPE.replace(label_smoothing=smoothing), Settings())
    found = Validation(model, objective)(batches_of(data))
    labelled = objective.labelled(batches_of(data))
    expected = model.evaluate(labelled, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-6)
    assert 0 < found["accuracy"] < 1
    assert found["loss"] > 0.5 + sum(float(penalty) for penalty in model.losses)


def test_losses_that_layers_add_count():
    class Adding(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(keras.ops.mean(inputs**2))
            return inputs

    data = data_of(ONE)
    ends = keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((6, 6, 1)), Adding(), *ends])
    objective = compile_model(model, data, RECIPE, Settings())
    found = Validation(model, objective)(batches_of(data))
    expected = model.evaluate(objective.labelled(batches_of(data)), verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_run_makes_one_function_and_leaves_keras_own_alone(monkeypatch):
    traces, layer = [], keras.layers.Activation("relu")
    relu = layer.call
    layer.call = lambda inputs: (traces.append(tf.executing_eagerly()), relu(inputs))[1]
    model = network(3, "softmax", wide=0.1)
    model = keras.Model(model.inputs[0], layer(model.outputs[0]))
    model = keras.Model(model.inputs[0], keras.layers.Dense(3, "softmax")(model.outputs[0]))
    objective = compile_model(model, data_of(ONE), RECIPE, Settings())
    monkeypatch.setattr(keras.Model, "evaluate", None)
    validation = Validation(model, objective)
    traces.clear()
    first, second = (validation(batches_of(data_of(ONE))) for _ in range(2))
    assert first == second
    assert len(traces) == 1


def test_the_history_of_a_run_is_keras_own(monkeypatch):
    """With the numbers that Keras' evaluate finds at the same moments."""
    expected, call = [], Validation.__call__

    def both(self, batches, callbacks=None):
        labelled = self._objective.labelled(batches)
        expected.append(self._model.evaluate(labelled, verbose=0, return_dict=True))
        return call(self, batches)

    monkeypatch.setattr(Validation, "__call__", both)
    model = network(3, "softmax", penalty=0.0, wide=0.1)
    folder = train(model, data_of(ONE), "run", RECIPE).folder
    rows = (folder / "history.csv").read_text().splitlines()
    names = rows[0].split(",")
    for row, found in zip(rows[1:], expected, strict=True):
        values = dict(zip(names, map(float, row.split(",")), strict=True))
        assert values["val_loss"] == pytest.approx(found["loss"], rel=1e-5)
        assert values["val_accuracy"] == pytest.approx(found["accuracy"], rel=1e-5)
