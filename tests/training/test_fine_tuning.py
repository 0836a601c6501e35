import math
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from helpers import outline
from keras_convnets import ResnetBuilder
from keras_convnets.fast.layers import fast_layers
from keras_convnets.keras_private import without_values
from keras_convnets.training.transfer.fine_tuning import (
    DiscriminativeSGD,
    freeze_until,
    new_head,
    stage_factors,
    stage_rates,
)

LAYERS = keras.layers


def build(stages=3, outputs=4, **options):
    """Return a residual network of conv1, conv2 to conv{stages + 1}, final and head."""
    keras.utils.set_random_seed(0)
    return ResnetBuilder.build((1, 16, 16), outputs, "basic_block", (1,) * stages, **options)


def foreign():
    """Return a network whose layers follow no grammar, around another one."""
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [
            LAYERS.Input((8, 8, 1)),
            LAYERS.Conv2D(2, 3, name="First"),
            LAYERS.BatchNormalization(name="Norm"),
            LAYERS.Conv2D(3, 3, name="Second"),
        ],
        name="Backbone",
    )
    inputs = keras.Input((8, 8, 1))
    x = LAYERS.GlobalAveragePooling2D(name="Pool")(inner(inputs))
    outputs = LAYERS.Dense(4, "softmax", name="Answer")(keras.ops.abs(x))
    return keras.Model(inputs, outputs, name="foreign")


def batch(model, count=8):
    rng = np.random.default_rng(0)
    return rng.random((count, *model.input_shape[1:]), "float32"), np.arange(count) % 4


def trained(model, optimizer=None, steps=3):
    """Return, by path, which weights some steps of training have changed."""
    before = {weight.path: weight.numpy() for weight in model.weights}
    model.compile(optimizer or keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    for _ in range(steps):
        model.train_on_batch(*batch(model))
    return {w.path for w in model.weights if not np.array_equal(before[w.path], w.numpy())}


def paths(model, *stages):
    return {weight.path for weight in model.weights if weight.path.split("_")[0] in stages}


def test_what_stands_before_a_stage_is_frozen_and_the_rest_is_trained():
    model = build()
    frozen = freeze_until(model, "conv3")
    assert {name.split("_")[0] for name in frozen.layers} == {"conv1", "conv2"}
    assert trained(model) == paths(model, "conv3", "conv4", "final", "head")
    counts = {w.path: math.prod(w.shape) for w in model.weights if "moving" not in w.path}
    assert frozen.trained_parameters == sum(math.prod(w.shape) for w in model.trainable_weights)
    assert frozen.parameters == sum(counts.values()) - frozen.trained_parameters
    assert str(frozen) == (
        f"5 layers of {frozen.parameters:,} parameters frozen, "
        f"{frozen.trained_parameters:,} parameters trained"
    )


def test_frozen_normalisations_run_in_inference_mode():
    model = build()
    freeze_until(model, "conv4")
    features = keras.Model(model.input, model.get_layer("conv3_block1_add").output)
    x = batch(model)[0]
    before = features(x, training=True).numpy()
    assert np.array_equal(before, features(x, training=False).numpy())
    changed = trained(model)
    assert np.array_equal(features(x, training=True).numpy(), before)
    statistics = {w.path for w in model.weights if "moving" in w.path}
    assert statistics & changed == statistics & paths(model, "conv4", "final")
    freeze_until(model, "conv1")
    assert not np.array_equal(features(x, training=True).numpy(), before)


def test_a_block_a_layer_or_the_head():
    keras.utils.set_random_seed(0)
    model = ResnetBuilder.build((1, 16, 16), 4, "basic_block", (2,))
    everything = {weight.path for weight in model.weights}
    freeze_until(model, "conv2_block2")
    assert trained(model) == {
        path for path in everything if path.startswith(("conv2_block2", "final", "head"))
    }
    freeze_until(model, "head")
    assert trained(model) == paths(model, "head")
    freeze_until(model, "conv2_block2_conv2")
    assert trained(model) == {
        path for path in everything if path.startswith(("conv2_block2_conv2", "final", "head"))
    }
    assert freeze_until(model, "conv1").layers == ()
    assert trained(model) == everything


def test_models_of_others_are_frozen_by_stage_and_layer_within_models_too():
    model = foreign()
    assert freeze_until(model, "head").layers == (
        "Backbone/First",
        "Backbone/Norm",
        "Backbone/Second",
    )
    assert trained(model) == {"Answer/kernel", "Answer/bias"}
    model.get_layer("Backbone").trainable = False
    assert freeze_until(model, "Backbone/Second").layers == ("Backbone/First", "Backbone/Norm")
    assert {path.split("/")[-2] for path in trained(model)} == {"Second", "Answer"}
    with without_values():
        vgg = keras.applications.VGG16(weights=None)
    assert len(freeze_until(vgg, "block4").layers) == 2 + 2 + 3
    assert len(freeze_until(vgg, "head").layers) == 15


def test_a_layer_within_the_head():
    model = outline("lenet_5")
    assert len(freeze_until(model, "head").layers) == 2
    assert freeze_until(model, "head_dense3").layers[2:] == ("head_dense", "head_dense2")


def test_an_auxiliary_head_is_never_frozen():
    model = outline("googlenet", (1, 96, 96), 4)
    frozen = freeze_until(model, "head")
    trunk = ("conv1", "conv2", "inception3", "inception4", "inception5")
    assert {name.split("_")[0] for name in frozen.layers} == set(trunk)
    learning = {weight.path.split("_")[0] for weight in model.trainable_weights}
    assert learning == {"aux1", "aux2", "head"}
    assert freeze_until(model, "head_dense") == frozen
    before = {stage: 0.5 ** (5 - n) for n, stage in enumerate(trunk)}
    assert stage_factors(model, 0.5) == before | dict.fromkeys(learning, 1)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("conv9", "expected one of 'conv1', 'conv2', 'conv3', 'conv4', 'final', 'head', the stage"),
        ("conv3_blok1", "Did you mean 'conv3_block1"),
        ("", "or one of its blocks or layers."),
        (None, "stage: received None;"),
    ],
)
def test_a_stage_that_is_not_there(stage, words):
    model = build()
    with pytest.raises(ValueError, match="^stage: received ") as caught:
        freeze_until(model, stage)
    assert words in str(caught.value)
    assert all(layer.trainable for layer in model.layers)


def test_earlier_stages_learn_more_slowly():
    model = build()
    factors = stage_factors(model, 0.5)
    stages = ("head", "final", "conv4", "conv3", "conv2", "conv1")
    assert factors == {stage: 0.5**n for n, stage in enumerate(stages)}
    assert set(stage_rates(model, 1)) == {1}
    for first in ("conv1", "conv4"):
        freeze_until(model, first)
        assert stage_rates(model, 0.5) == [
            factors[variable.path.split("_")[0]] for variable in model.trainable_variables
        ]


@pytest.mark.parametrize("decay", [0, -0.5, 1.5, math.nan, math.inf, "0.5", True, None])
def test_a_decay_that_is_none(decay):
    with pytest.raises(ValueError, match="^decay: received .*; expected .*Pass the factor"):
        stage_rates(build(1), decay)


class Two:
    """Two variables, and the gradients of some steps."""

    rates = (0.25, 1.0)

    def __init__(self):
        values = np.random.default_rng(0).standard_normal((2, 5))
        self.variables = [keras.Variable(value, dtype="float32") for value in values]
        self.gradients = np.random.default_rng(1).standard_normal((4, 2, 5)).astype("float32")

    def stepped(self, *optimizers):
        """Return the variables after the steps of one optimizer for both, or of one for each."""
        both = len(optimizers) == 1
        for step in self.gradients:
            pairs = list(zip(map(keras.ops.convert_to_tensor, step), self.variables, strict=True))
            for n, optimizer in enumerate(optimizers):
                optimizer.apply_gradients(pairs if both else [pairs[n]])
        return [variable.numpy() for variable in self.variables]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "weight_decay": 0.01},
        {"momentum": 0.9, "gradient_accumulation_steps": 2},
    ],
    ids=str,
)
def test_it_is_sgd_at_a_learning_rate_for_each_variable(options):
    one = Two().stepped(DiscriminativeSGD(0.125, rates=Two.rates, **options))
    alone = (keras.optimizers.SGD(0.125 * rate, **options) for rate in Two.rates)
    for ours, theirs in zip(one, Two().stepped(*alone), strict=True):
        assert np.array_equal(ours, theirs)


def test_it_follows_a_schedule():
    def schedule(rate):
        return keras.optimizers.schedules.PiecewiseConstantDecay([2], [rate, rate / 8])

    one = Two().stepped(DiscriminativeSGD(schedule(0.5), 0.9, rates=Two.rates))
    alone = [keras.optimizers.SGD(schedule(0.5 * rate), 0.9) for rate in Two.rates]
    for ours, theirs in zip(one, Two().stepped(*alone), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    "rates",
    [[], None, 1.0, "1", {"head": 1.0}, [0], [-1], [math.nan], [math.inf], ["1"], [True]],
    ids=str,
)
def test_rates_that_are_none(rates):
    with pytest.raises(ValueError, match="^rates: received .*; expected "):
        DiscriminativeSGD(rates=rates)


def test_rates_for_other_variables_are_refused():
    model = build(1)
    freeze_until(model, "head")
    optimizer = DiscriminativeSGD(rates=stage_rates(model, 0.5))
    freeze_until(model, "conv2")
    with pytest.raises(ValueError, match="^rates: received 2; expected 10, as many as there are"):
        optimizer.build(model.trainable_variables)


def test_a_model_saved_with_it_is_loaded_and_trains_on_alike():
    model = build(1)
    freeze_until(model, "conv2")
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer = DiscriminativeSGD(schedule, 0.9, True, rates=stage_rates(model, 0.25))
    assert trained(model, optimizer) >= paths(model, "final", "head")
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert type(loaded.optimizer) is DiscriminativeSGD
    assert loaded.optimizer.get_config() == optimizer.get_config()
    fast_layers(loaded)  # Keras' own layers differ in rounding
    for one in (model, loaded):
        one.train_on_batch(*batch(one))
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert not loaded.get_layer("conv1_conv").trainable


def test_a_saved_model_around_another_is_loaded():
    model = foreign()
    trained(model, DiscriminativeSGD(0.1, rates=stage_rates(model, 0.5)))
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert stage_rates(loaded, 0.5) == list(loaded.optimizer.rates) == list(model.optimizer.rates)


def test_mixed_precision_scales_the_loss_around_it():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        inputs = keras.Input((8,))
        hidden = LAYERS.Dense(8, "relu", name="conv1_dense")(inputs)
        answer = LAYERS.Dense(4, "softmax", dtype="float32", name="head_dense")(hidden)
        model = keras.Model(inputs, answer)
    finally:
        keras.config.set_dtype_policy(before)
    start = model.get_weights()
    changes = {}
    for decay in (1.0, 0.25):
        model.set_weights(start)
        trained(model, DiscriminativeSGD(0.125, rates=stage_rates(model, decay)), steps=1)
        assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        changes[decay] = [a - b for a, b in zip(model.get_weights(), start, strict=True)]
    for whole, part, rate in zip(changes[1.0], changes[0.25], (0.25, 0.25, 1, 1), strict=True):
        assert np.abs(whole).max() > 0
        np.testing.assert_allclose(part, rate * whole, atol=1e-7)


MIRRORED = """
import keras, numpy as np, sys, tensorflow as tf
from keras_convnets import ResnetBuilder
from keras_convnets.training.transfer.fine_tuning import (
    DiscriminativeSGD,
    freeze_until,
    stage_rates,
)

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
found = []
for scope in (tf.distribute.get_strategy(), strategy):
    with scope.scope():
        keras.utils.set_random_seed(0)
        model = ResnetBuilder.build((1, 16, 16), 4, "basic_block", (1, 1))
        freeze_until(model, "final")
        model.get_layer("final_bn").trainable = False  # which sees its own half of a batch
        for name in ("conv3_block1_conv2", "conv3_block1_conv1"):
            model.get_layer(name).trainable = True
        rates = stage_rates(model, 0.5)
        optimizer = DiscriminativeSGD(0.1, 0.9, weight_decay=0.01, rates=rates)
        model.compile(optimizer, "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).random((16, 16, 16, 1), "float32")
    before = model.get_weights()
    model.fit(images, np.arange(16) % 4, 8, epochs=2, verbose=0, shuffle=False)
    found.append(model.get_weights())
    changed = [np.abs(a - b).max() > 0 for a, b in zip(before, found[-1])]
    assert sum(changed) == 6, changed
difference = max(np.abs(a - b).max() for a, b in zip(*found))
assert difference < 1e-5, difference
"""


@pytest.mark.slow
def test_two_replicas_train_as_one_device_does():
    Path("mirrored.py").write_text(MIRRORED)
    done = subprocess.run(
        [sys.executable, "mirrored.py"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_head_trained_on_the_frozen_features_of_a_saved_model():
    keras.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)
    images = np.repeat(np.repeat(images.reshape(-1, 8, 8, 1) / 16, 2, 1), 2, 2).astype("float32")
    low = labels < 5
    model = ResnetBuilder.build((1, 16, 16), 5, "basic_block", (1,))
    model.compile(
        keras.optimizers.SGD(0.05, 0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(images[low], labels[low], 64, epochs=3, verbose=0)
    model.save("model.keras")
    saved = keras.models.load_model("model.keras")
    tuned = new_head(saved, 5)
    freeze_until(tuned, "head")
    tuned.compile(
        keras.optimizers.SGD(0.05, 0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    rest = images[~low], labels[~low] - 5
    before = tuned.evaluate(*rest, verbose=0)[1]
    tuned.fit(*rest, 64, epochs=3, verbose=0)
    after = tuned.evaluate(*rest, verbose=0)[1]
    assert before < 0.4
    assert after > 0.75
    for one, other in zip(saved.weights, tuned.weights, strict=True):
        assert one.path == other.path
        same = np.array_equal(one.numpy(), other.numpy())
        assert same == (not one.path.startswith("head_dense"))
