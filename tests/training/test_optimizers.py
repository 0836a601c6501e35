"""The optimizers of Keras in a recipe: names, arguments, and each update computed by hand."""

import inspect

import keras
import numpy as np
import pytest

from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe import optimizers
from keras_convnets.training.recipe.averages import Averages
from keras_convnets.training.recipe.compiling import compile_model
from keras_convnets.training.recipe.objective import Objective
from keras_convnets.training.recipe.optimizers import check_optimizer, kind_of
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.transfer.discriminative import stage_rates

KINDS = [kind for kind in vars(keras.optimizers).values() if isinstance(kind, type)]
USABLE = [kind.__name__ for kind in KINDS if issubclass(kind, keras.optimizers.Optimizer)]
USABLE = [name for name in USABLE if name.lower() not in {*optimizers._UNSUITABLE, "optimizer"}]


def recipe(**changes):
    return Recipe("by hand", 8, 0.1, steps=12, schedule="constant", **changes)


class Scale(keras.layers.Layer):
    """A layer of the user's own, with a scale for each channel and a matrix of any name."""

    def build(self, shape):
        self.whatever = self.add_weight(shape=(1, 1, 1, shape[-1]), initializer="ones")
        self.mixing = self.add_weight(shape=(shape[-1], shape[-1]), initializer="ones")

    def call(self, x):
        return keras.ops.matmul(x * self.whatever, self.mixing)


def network(activation="softmax"):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Conv2D(3, 1, name="conv1_conv", bias_initializer="ones"),
        keras.layers.BatchNormalization(name="conv1_bn"),
        keras.layers.PReLU(name="conv1_relu", alpha_initializer="ones"),
        Scale(name="conv2_scale"),
        keras.layers.Flatten(name="head_flatten"),
        keras.layers.Dense(2, activation, name="head_dense", bias_initializer="ones"),
    ]
    return keras.Sequential([keras.Input((4, 4, 1)), *layers], name="net")


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (32, 4, 4, 1), "uint8")
    return Data.from_arrays(images, np.arange(32) % 2, class_names=("a", "b"))


def compiled(data, model=None, **changes):
    model = network() if model is None else model
    compile_model(model, data, recipe(**changes), Settings())
    return model


def values(model):
    return [variable.numpy() for variable in model.trainable_variables]


def apply(model, sizes):
    """Update the weights by gradients that are one number everywhere, one after the other."""
    for size in sizes:
        shapes = [variable.shape for variable in model.trainable_variables]
        model.optimizer.apply([keras.ops.full(shape, float(size)) for shape in shapes])
    return values(model)


def test_all_optimizers_of_keras_are_there_with_its_rates():
    assert {"SGD", "AdamW", "Lamb", "Lion", "Muon", "Adafactor"} < set(USABLE)
    for name in USABLE:
        kind = kind_of(name)
        assert kind is getattr(keras.optimizers, name)
        default = inspect.signature(kind.__init__).parameters["learning_rate"].default
        changed = RECIPES["imagenet"].replace(optimizer="adam" if name == "SGD" else "sgd")
        assert changed.replace(optimizer=name).learning_rate == default
        check_optimizer(recipe(optimizer=name))


def test_every_optimizer_takes_all_that_a_recipe_has():
    for name in USABLE:
        changes = {"ema_momentum": 0.5, "accumulation_steps": 2, "clipnorm": 1}
        found = optimizers.arguments_of(recipe(optimizer=name, weight_decay=0, **changes))
        weight = keras.Variable(np.ones((2, 3), "float32"))
        optimizer = kind_of(name)(0.1, **found)
        for size in (1, 1, 3, 3):
            optimizer.apply([keras.ops.full((2, 3), float(size))], [weight])
        assert np.all(weight.numpy() < 1)
        assert np.all(np.isfinite(weight.numpy()))


def test_decoupled_decay_by_hand(data):
    model = network()
    paths = [one.path.removeprefix("net/") for one in model.trainable_variables]
    before = dict(zip(paths, values(model), strict=True))
    model.get_layer("conv1_conv").kernel.regularizer = keras.regularizers.L2(1.0)
    compiled(data, model, optimizer="adamw", weight_decay=0.5)
    assert model.losses == []  # the decay is in place of the penalty
    after = dict(zip(before, apply(model, [0]), strict=True))
    decayed = {path for path in before if not np.array_equal(after[path], before[path])}
    assert decayed == {
        "conv1_conv/kernel",  # of 1 x 1 x 1 x 3
        next(path for path in before if before[path].shape == (3, 3)),
        "head_dense/kernel",
    }
    for path in decayed:
        np.testing.assert_allclose(after[path], before[path] * (1 - 0.1 * 0.5), rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw", "lion", "muon"])
def test_each_stage_has_its_rate_and_decays_by_it(name, data):
    decay = {} if name == "sgd" else {"weight_decay": 0.5}
    slow = compiled(data, optimizer=name, stage_decay=0.5, **decay)
    rates = stage_rates(slow, 0.5)
    assert set(rates) == {0.25, 0.5, 1.0}
    found = apply(slow, [1, -2, 1])
    for rate in (0.25, 0.5, 1.0):
        whole = network()
        changes = {"optimizer": name, **decay}
        compile_model(whole, data, recipe(**changes).replace(learning_rate=0.1 * rate), Settings())
        expected = apply(whole, [1, -2, 1])
        for one, other, factor in zip(found, expected, rates, strict=True):
            if factor == rate:
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_clipping_by_hand(data):
    before = values(network())
    plain = {"momentum": 0.0}
    total = np.sqrt(sum(value.size for value in before))
    for name, value, expected in (
        ("clipvalue", 0.25, lambda one: 0.25),
        ("clipnorm", 0.25, lambda one: min(2, 0.25 / np.sqrt(one.size))),
        ("global_clipnorm", 0.25, lambda one: 0.25 / total),
    ):
        after = apply(compiled(data, **plain, **{name: value}), [2])
        for one, other in zip(before, after, strict=True):
            np.testing.assert_allclose(one - other, 0.1 * expected(one), rtol=0, atol=1e-6)


def test_accumulated_gradients_make_one_update_and_schedules_count_steps(data):
    falling = recipe(momentum=0.0, accumulation_steps=3).replace(schedule="cosine", steps=12)
    model = network()
    before = values(model)
    compile_model(model, data, falling, Settings())
    for one, other in zip(before, apply(model, [1, 3]), strict=True):
        assert np.array_equal(one, other)
    rate = float(falling.rates(4)(2))  # of the third step
    for one, other in zip(before, apply(model, [5, 7, 7]), strict=True):
        np.testing.assert_allclose(one - other, rate * 3, rtol=1e-5)  # the last two make none
    assert falling.replace(images_per_rate=8, learning_rate=0.1).peak_rate == pytest.approx(0.3)


def test_averages_of_the_weights_by_hand(data):
    model = compiled(data, momentum=0.0, ema_momentum=0.75)
    averages, start = Averages(model), values(model)
    with averages.used():
        assert all(map(np.array_equal, values(model), start))  # before the first step
    first, second = apply(model, [1]), apply(model, [-3])
    statistics = [one.numpy() for one in model.non_trainable_variables]
    with averages.used():
        for one, early, late in zip(values(model), first, second, strict=True):
            np.testing.assert_allclose(one, 0.75 * early + 0.25 * late, rtol=1e-6)
    assert all(map(np.array_equal, values(model), second))
    assert all(map(np.array_equal, statistics, model.non_trainable_variables))
    images = np.zeros((8, 4, 4, 1), "float32")
    model.fit(images, np.zeros(8), verbose=0)  # which Keras would end with the averages
    third = values(model)
    with averages.used():
        assert not any(map(np.array_equal, values(model)[:1], third[:1]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizer": "adm"}, "optimizer: received 'adm'.* Did you mean 'adam'"),
        ({"optimizer": "MultiOptimizer"}, "which a run cannot use: a recipe has one"),
        ({"optimizer": "LossScaleOptimizer"}, "the precision 'mixed_float16' uses it"),
        ({"optimizer": "ScheduleFreeAdamW"}, "not those that it trains"),
        ({"optimizer_arguments": {"beta2": 0.9}}, "beta2=0.9; expected one of .*'beta_2'"),
        ({"optimizer_arguments": {"learning_rate": 0.9}}, "Give learning_rate"),
        ({"optimizer_arguments": {"use_ema": True}}, "Give ema_momentum"),
        ({"optimizer_arguments": {"beta_1": 1}}, "beta_1: received 1;.* less than 1"),
        ({"optimizer_arguments": {"beta_1": "x"}}, "beta_1: received 'x'"),
        ({"optimizer_arguments": {"amsgrad": 1.5}}, "amsgrad: received 1.5; expected True or"),
        ({"optimizer_arguments": {"epsilon": -1}}, "epsilon: received -1"),
        ({"optimizer_arguments": {"epsilon": 0}}, "weights that are not finite"),
        ({"optimizer": "sgd", "optimizer_arguments": {"momentum": 0.5}}, "Give momentum"),
        ({"optimizer": "sgd", "optimizer_arguments": {"rho": 0.5}}, "expected none, the argu"),
        ({"optimizer": "muon", "optimizer_arguments": {"ns_steps": 0.5}}, "Muon can compute with"),
        ({"optimizer": "muon", "optimizer_arguments": {"exclude_layers": "("}}, "can compute with"),
        ({"optimizer": "muon", "optimizer_arguments": {"adam_weight_decay": 1}}, "of all kernels"),
    ],
)
def test_optimizers_and_arguments_that_are_none(changes, words):
    with pytest.raises(ValueError, match=words) as caught:
        check_optimizer(recipe(**{"optimizer": "adam"} | changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizer_arguments": [1]}, "optimizer_arguments: received"),
        ({"optimizer_arguments": {"beta_1": float("nan")}}, "beta_1: received nan"),
        ({"optimizer": 3}, "optimizer: received"),
        ({"clipnorm": -1}, "clipnorm: received -1"),
        ({"clipnorm": 1, "clipvalue": 1}, "clipvalue: received 1.0 with clipnorm=1.0"),
        ({"accumulation_steps": 0}, "accumulation_steps: received 0"),
        ({"ema_momentum": 1}, "ema_momentum: received 1"),
        ({"loss": "mse"}, "loss: received 'mse'"),
        ({"optimizer": "adam", "momentum": 0.5}, "momentum: .* goes into optimizer_arguments"),
        ({"final_rate": 0.1}, "final_rate: .* the schedule 'cosine'"),
    ],
)
def test_values_of_the_recipe_out_of_range(changes, words):
    with pytest.raises(ValueError, match=words):
        recipe(**changes)


def test_a_run_too_short_for_its_updates_or_averages():
    with pytest.raises(ValueError, match="at most the 12 steps of the run"):
        recipe(accumulation_steps=13).check_length(12)
    with pytest.raises(ValueError, match="99% of the averages.* at most 0.9439"):
        recipe(ema_momentum=0.999).check_length(12)
    recipe(accumulation_steps=12, ema_momentum=0.94).check_length(12)


def test_binary_cross_entropy_needs_a_sigmoid_for_each_class(data):
    with pytest.raises(ValueError, match='net, whose classes.*classifier_activation="sigmoid"'):
        Objective(network(), data, loss="binary_crossentropy")
    model = network("sigmoid")
    objective = Objective(model, data, loss="binary_crossentropy")
    assert isinstance(objective.loss, keras.losses.BinaryCrossentropy)
    assert objective.accuracy.name == "accuracy"


def test_what_belongs_to_an_optimizer_gives_way_to_another():
    imagenet = RECIPES["imagenet"]
    adam = imagenet.replace(optimizer="AdamW", optimizer_arguments={"beta_2": 0.95})
    assert (adam.learning_rate, adam.images_per_rate, adam.warmup_rate) == (0.001, None, 0)
    assert (adam.weight_decay, adam.nesterov, adam.warmup_epochs) == (None, False, 5)
    lion = adam.replace(optimizer="lion", learning_rate=1e-4)
    assert (lion.optimizer_arguments, lion.learning_rate) == ({}, 1e-4)
    with pytest.raises(ValueError, match="momentum: received 0.0, which has no effect here"):
        adam.replace(momentum=0)
    assert imagenet.replace(clipnorm=1).replace(clipvalue=2).clipnorm == 0
