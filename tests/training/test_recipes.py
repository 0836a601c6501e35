import dataclasses

import keras
import numpy as np
import pytest

from keras_convnets import create_model
from keras_convnets.training import DataRequest, RunRequest, plan_run
from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES, find
from keras_convnets.training.recipe.schedules import LinearWarmUp, in_steps

CIFAR = 50_000 // 128  # steps of an epoch, remainder left out


def rate(schedule, step):
    return float(schedule(step))


def test_the_resnet_papers_cifar_recipe():
    recipe = RECIPES["resnet-cifar"]
    assert "1512.03385" in recipe.source
    assert (recipe.batch_size, recipe.momentum, recipe.nesterov) == (128, 0.9, False)
    assert (recipe.weight_decay, recipe.label_smoothing) == (1e-4, 0)
    assert recipe.augmentation == "crop-flip"
    assert recipe.total_steps(CIFAR) == 64_000
    assert recipe.total_epochs(CIFAR) == 165  # 164 whole ones and a part
    rates = recipe.rates(CIFAR)
    steps = (0, 31_999, 32_000, 47_999, 48_000, 63_999)
    expected = (0.1, 0.1, 0.01, 0.01, 0.001, 0.001)
    assert [rate(rates, step) for step in steps] == pytest.approx(expected)


def test_the_110_layers_are_warmed_up():
    rates = RECIPES["resnet-cifar-110"].rates(CIFAR)
    steps = (0, 399, 400, 31_999, 32_000, 48_000)
    expected = (0.01, 0.01, 0.1, 0.1, 0.01, 0.001)
    assert [rate(rates, step) for step in steps] == pytest.approx(expected)
    first, second = RECIPES["resnet-cifar"], RECIPES["resnet-cifar-110"]
    warmup = {"warmup_steps": 0, "warmup_rate": 0}
    assert dataclasses.replace(second, **warmup) == first


def test_the_densenet_papers_recipe():
    recipe = RECIPES["densenet-cifar"]
    assert (recipe.batch_size, recipe.epochs, recipe.nesterov) == (64, 300, True)
    assert recipe.weight_decay == 1e-4
    rates = recipe.rates(10)
    steps = (0, 1499, 1500, 2249, 2250, 2999)
    expected = (0.1, 0.1, 0.01, 0.01, 0.001, 0.001)
    assert [rate(rates, step) for step in steps] == pytest.approx(expected)


def test_the_recipe_of_the_course_notes():
    recipe = RECIPES["notes"]
    assert (recipe.optimizer, recipe.batch_size, recipe.epochs) == ("adam", 256, 5)
    assert (recipe.weight_decay, recipe.loss, recipe.augmentation) == (0, None, "none")
    rates = recipe.rates(7)
    assert [rate(rates, step) for step in (0, 6, 34)] == pytest.approx([0.001] * 3)


@pytest.mark.parametrize(
    ("name", "epochs", "peak", "magnitude"),
    [("resnet-rsb-a2", 300, 5e-3, 7), ("resnet-rsb-a3", 100, 8e-3, 6)],
)
def test_the_recipes_of_resnet_strikes_back(name, epochs, peak, magnitude):
    recipe = RECIPES[name]
    assert "2110.00476" in recipe.source
    assert "without repeated augmentation" in recipe.source
    assert (recipe.optimizer, recipe.loss) == ("lamb", "binary_crossentropy")
    assert (recipe.batch_size, recipe.epochs, recipe.weight_decay) == (2048, epochs, 0.02)
    assert (recipe.label_smoothing, recipe.warmup_epochs) == (0, 5)
    changes = augmentation_named(recipe.augmentation)
    assert (changes.mixup, changes.cutmix, changes.randaugment) == (0.1, 1.0, magnitude)
    assert changes.random_resized_crop
    assert changes.flip
    rates = [rate(recipe.rates(10), step) for step in (0, 25, 50, epochs * 10 - 1)]
    at = [0, peak / 2, peak, 0]  # half a cosine that is warmed up to its own value
    assert rates == pytest.approx(at, abs=peak / 50)


NEW = ["notes", "resnet-rsb-a2", "resnet-rsb-a3", "adamw-cosine", "finetune"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NEW)
def test_some_steps_go_by_the_recipe(name):
    built = []

    def build(name, shape, classes):
        x = inputs = keras.Input(shape[1:] + shape[:1])
        for stage in (1, 2):
            x = keras.layers.Conv2D(4, 3, 2, activation="relu", name=f"conv{stage}_conv")(x)
        x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
        outputs = keras.layers.Dense(classes, activation="softmax", name="head_dense")(x)
        built.append(keras.Model(inputs, outputs, name=name))
        return built[-1]

    recipe = RECIPES[name].replace(batch_size=32)
    request = RunRequest("few", data=DataRequest("digits", image_size=12), recipe=recipe)
    text = plan_run(request, build).to_text()  # which times three steps
    assert recipe.source in text
    assert recipe.optimizer in text.lower()
    (model,) = built
    assert model.layers[-1].activation.__name__ == ("sigmoid" if recipe.loss else "softmax")
    assert all(np.isfinite(weight.numpy()).all() for weight in model.weights)


def test_a_batch_of_more_images_than_there_are_is_refused():
    with pytest.raises(ValueError, match="^batch_size: received 2048; expected at most the 1437 "):
        plan_run(RunRequest("lenet_5", recipe=RECIPES["resnet-rsb-a3"]), create_model)


def test_the_wide_resnet_papers_recipe():
    recipe = RECIPES["wide-resnet-cifar"]
    assert (recipe.batch_size, recipe.epochs, recipe.nesterov) == (128, 200, True)
    assert recipe.weight_decay == 5e-4
    rates = recipe.rates(10)
    steps = (599, 600, 1199, 1200, 1599, 1600)
    expected = (0.1, 0.02, 0.02, 0.004, 0.004, 0.0008)
    assert [rate(rates, step) for step in steps] == pytest.approx(expected)


def test_the_imagenet_recipe_scales_and_warms_up():
    recipe = RECIPES["imagenet"]
    assert (recipe.epochs, recipe.label_smoothing, recipe.augmentation) == (90, 0.1, "resized-crop")
    large = recipe.replace(batch_size=8192)
    assert recipe.peak_rate == pytest.approx(0.1)
    assert large.peak_rate == pytest.approx(3.2)
    rates = large.rates(100)
    steps = (0, 250, 499, 500, 2999, 3000, 6000, 8000, 8999)
    expected = (0.1, 1.65, 3.1938, 3.2, 3.2, 0.32, 0.032, 0.0032, 0.0032)
    assert [rate(rates, step) for step in steps] == pytest.approx(expected, rel=1e-5)


def test_the_quick_recipe_falls_to_nothing():
    rates = RECIPES["quick"].rates(10)
    assert rate(rates, 0) == pytest.approx(0.03)
    assert rate(rates, 60) == pytest.approx(0.015)
    assert rate(rates, 120) == 0


def test_a_constant_rate():
    assert [rate(in_steps([0.2], [0]), step) for step in (0, 1, 1000)] == pytest.approx([0.2] * 3)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_schedules_are_saved_with_the_optimizer(recipe):
    rates = recipe.rates(1000)
    optimizer = keras.optimizers.SGD(rates)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    for step in (0, 100, 40_000):
        assert rate(again._learning_rate, step) == rate(rates, step)


def test_a_warm_up_within_a_graph_is_that_of_eager_steps():
    import tensorflow as tf

    rates = LinearWarmUp(in_steps([0.8, 0.08], [0, 10]), 0.2, 4)
    compiled = tf.function(rates)
    for step in range(12):
        assert float(compiled(tf.constant(step, tf.int64))) == rate(rates, step)


def test_epochs_take_the_place_of_steps():
    recipe = RECIPES["resnet-cifar"].replace(epochs=3)
    assert (recipe.total_steps(10), recipe.total_epochs(10)) == (30, 3)
    recipe = RECIPES["quick"].replace(steps=25)
    assert (recipe.total_steps(10), recipe.total_epochs(10)) == (25, 3)
    # The drops are shares of the run, so they move with it.
    short = RECIPES["resnet-cifar"].replace(epochs=4).rates(10)
    assert [rate(short, step) for step in (19, 20, 30)] == pytest.approx([0.1, 0.01, 0.001])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": 0}, "epochs: received 0"),
        ({"epochs": 1.5}, "epochs: received 1.5"),
        ({"epochs": 2, "steps": 2}, "expected one of the two"),
        ({"batch_size": -1}, "batch_size: received -1"),
        ({"learning_rate": 0}, "learning_rate: received 0"),
        ({"learning_rate": float("nan")}, "learning_rate: received nan"),
        ({"schedule": "linear"}, "schedule: received 'linear'"),
        ({"drops": (0.75, 0.5)}, "drops: received"),
        ({"drops": (0.5, 1.0)}, "drops: received"),
        ({"momentum": 1}, "momentum: received 1;.* the last step to keep"),
        ({"weight_decay": -1e-4}, "weight_decay: received"),
        ({"label_smoothing": 1}, "label_smoothing: received 1;.* share of a label"),
        ({"warmup_steps": -1}, "warmup_steps: received -1"),
        ({"stage_decay": 0}, "stage_decay: received 0"),
    ],
)
def test_values_out_of_range(changes, words):
    with pytest.raises(ValueError, match=words):
        RECIPES["quick"].replace(**changes)


def test_a_warm_up_that_is_longer_than_the_run():
    with pytest.raises(ValueError, match="400 steps of it; expected fewer than the 20 steps"):
        RECIPES["resnet-cifar-110"].replace(epochs=4).rates(10)
    with pytest.raises(ValueError, match="50 steps of it; expected fewer than the 13 steps"):
        RECIPES["imagenet"].replace(epochs=4).rates(10)


def test_an_unknown_recipe():
    with pytest.raises(ValueError, match="Did you mean 'resnet-cifar'"):
        find("resnet_cifar")


def test_every_recipe_is_whole():
    for recipe in RECIPES.values():
        assert isinstance(recipe, Recipe)
        assert recipe.source
        assert np.isfinite(rate(recipe.rates(1000), 0))
