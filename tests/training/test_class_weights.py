"""Rare classes: weights in the loss, and epochs in which all classes are equally frequent."""

import dataclasses

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from keras_convnets.cli import train_options
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches
from keras_convnets.training.data.sampling import balanced, check_sampling
from keras_convnets.training.recipe.class_weights import WeightedLoss, weights_of
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run.configuration import augmented

RANDOM = np.random.default_rng(0)
LABELS = np.array([0] * 14 + [1] * 5 + [2] * 3)
IMAGES = RANDOM.integers(0, 256, (len(LABELS), 4, 4), np.uint8)
WEIGHTS = np.array([0.5, 2, 3], np.float32)
NAMES = ("cat", "dog", "bird")


@pytest.fixture(scope="module")
def data():
    return Data.from_arrays(IMAGES, LABELS, IMAGES, LABELS, class_names=NAMES)


def test_balanced_weights_are_those_of_scikit_learn(data):
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert np.allclose(weights_of(data, "balanced"), expected)
    assert weights_of(data, {"bird": 2}).tolist() == [1, 1, 2]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("from_logits", [True, False])
def test_an_image_counts_as_the_weight_of_its_class(from_logits, smoothing):
    labels = np.array([0, 2, 1, 1])
    logits = RANDOM.normal(size=(4, 3)).astype(np.float32)
    given = logits if from_logits else np.array(keras.ops.softmax(logits))
    spread = np.eye(3, dtype=np.float32)[labels]
    loss = keras.losses.CategoricalCrossentropy(from_logits, smoothing)
    expected = loss(spread, given, sample_weight=WEIGHTS[labels])
    assert np.isclose(WeightedLoss(loss, WEIGHTS)(spread, given), expected, rtol=1e-5)
    if not smoothing:
        sparse = keras.losses.SparseCategoricalCrossentropy(from_logits)
        assert np.isclose(WeightedLoss(sparse, WEIGHTS)(labels, given), expected, rtol=1e-5)


def test_each_class_of_a_mixed_image_has_its_weight():
    logits = RANDOM.normal(size=(2, 3)).astype(np.float32)
    shares = np.array([[0.3, 0.7, 0], [0, 0, 1]], np.float32)
    each = -np.array(keras.ops.log_softmax(logits))
    loss = WeightedLoss(keras.losses.CategoricalCrossentropy(from_logits=True), WEIGHTS)
    assert np.isclose(loss(shares, logits), (shares * WEIGHTS * each).sum(axis=1).mean())


def test_weights_with_sigmoids():
    one = keras.losses.BinaryCrossentropy()
    given = np.array([[0.2], [0.9]], np.float32)
    truth = np.array([[1], [0]], np.float32)
    expected = one(truth, given, sample_weight=np.array([2, 0.5]))
    assert np.isclose(WeightedLoss(one, WEIGHTS[:2])(truth, given), expected)
    given = RANDOM.random((2, 3), np.float32)
    truth = np.eye(3, dtype=np.float32)[[2, 0]]
    expected = one(truth, given, sample_weight=np.array([3, 0.5]))
    assert np.isclose(WeightedLoss(one, WEIGHTS)(truth, given), expected)


def test_a_weighted_loss_is_what_it_was_once_it_is_read():
    loss = WeightedLoss(keras.losses.CategoricalCrossentropy(True, 0.1), WEIGHTS)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    truth, given = np.eye(3, dtype=np.float32), RANDOM.random((3, 3), np.float32)
    assert float(loss(truth, given)) == float(again(truth, given))


def test_balanced_epochs_show_all_classes_equally_often():
    first, again, other = (balanced(LABELS, 1, epoch) for epoch in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    for order in (first, other):
        assert sorted(np.bincount(LABELS[order]).tolist()) == [7, 7, 8]
        uses = np.bincount(order, minlength=len(LABELS))
        for label in range(3):
            assert np.ptp(uses[label == LABELS]) <= 1


def test_a_recipe_balances_the_batches(data):
    recipe = RECIPES["quick"].replace(sampling="balanced")
    batches = training_batches(augmented(data, recipe), 11, seed=0, epoch=0)
    labels = np.concatenate([labels for _, labels in batches.as_numpy_iterator()])
    assert sorted(np.bincount(labels).tolist()) == [7, 7, 8]
    assert augmented(data, RECIPES["quick"]).sampling is None


SEVERAL = np.array([[0, 1, 1]] * 11 + [[1, 0, 0]] * 11)


def even():
    return Data.from_arrays(IMAGES[:8], np.arange(8) % 2, IMAGES[:8], np.arange(8) % 2)


def several():
    return Data.from_arrays(IMAGES, SEVERAL, IMAGES, SEVERAL)


@pytest.mark.parametrize(
    ("make", "given", "words"),
    [
        (even, "balanced", "has no effect on arrays, for all classes have 4 images"),
        (even, {"1": 1.0}, "has no effect on arrays, for all weights are 1"),
        (even, {"cat": 2.0}, "received a weight of 'cat', the name of no class"),
        (several, "balanced", "for images that may have several classes"),
    ],
)
def test_weights_without_a_meaning_are_refused(make, given, words):
    with pytest.raises(ValueError, match="^class_weights: received ") as caught:
        weights_of(make(), given)
    assert words in str(caught.value)


@pytest.mark.parametrize(("make", "words"), [(even, "no effect"), (several, "several classes")])
def test_sampling_without_a_meaning_is_refused(make, words):
    with pytest.raises(ValueError, match=rf"^sampling: received 'balanced'.* {words}"):
        check_sampling(dataclasses.replace(make(), sampling="balanced"))


@pytest.mark.parametrize("value", ["even", {}, {"cat": 0}, {"cat": "2"}, {1: 2.0}, 3, [1, 2]])
def test_what_is_no_weight_of_classes(value):
    with pytest.raises(ValueError, match="class_weights|name of a class"):
        RECIPES["quick"].replace(class_weights=value)


def test_balanced_twice():
    with pytest.raises(ValueError, match="^class_weights: .* equally often already"):
        RECIPES["quick"].replace(class_weights="balanced", sampling="balanced")
    recipe = RECIPES["quick"].replace(class_weights={"cat": 2}, sampling="balanced")
    assert Recipe.from_config(dataclasses.asdict(recipe)) == recipe


def test_weights_on_the_command_line(parser):
    chosen = parser.parse_args(["--class-weights", "cat=2,a=b=0.5", "--sampling", "balanced"])
    recipe = train_options.request(chosen).recipe
    assert (recipe.class_weights, recipe.sampling) == ({"cat": 2.0, "a=b": 0.5}, "balanced")
    assert parser.parse_args(["--class-weights", "balanced"]).class_weights == "balanced"
    for wrong in ("cat", "cat=", "=2", "cat=x", ""):
        with pytest.raises(SystemExit):
            parser.parse_args(["--class-weights", wrong])


@pytest.fixture
def parser():
    import argparse

    return train_options.add_to(argparse.ArgumentParser().add_subparsers())
