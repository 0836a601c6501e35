"""Every analysis takes every functional model, of any kinds of layers, or refuses it in a line."""

import inspect
import os
import random

import keras
import pytest

from any_model import wrong_answers
from keras_convnets import layers as own
from random_layers import WITHOUT
from random_models import LAYERS, alone, random_model

NEW = "Make one in tests/random_layers.py, or say in WITHOUT why there is none."


def test_every_layer_class_is_made_or_has_a_reason_not_to_be():
    classes = {
        value.__name__
        for module in (keras.layers, own)
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, keras.Layer)
    }
    made = {"Conv2D", "DepthwiseConv2D", *LAYERS} | WITHOUT.keys()
    assert not classes - made, f"Layers that no random model has: {classes - made}. {NEW}"
    assert not LAYERS.keys() & WITHOUT.keys()


@pytest.mark.parametrize("name", LAYERS)
def test_every_kind_of_layer_alone(name):
    r = random.Random(name)
    model = next(model for _ in range(9) if (model := alone(r, name)))
    assert not wrong_answers(model, r)


def check(seeds):
    """Ask a model for each seed; each is the same in every run."""
    for seed in seeds:
        r = random.Random(seed)
        model = random_model(r)
        wrong = wrong_answers(model, r)
        assert not wrong, f"seed {seed}, {[layer.name for layer in model.layers]}: {wrong}"


@pytest.mark.slow
def test_random_models():
    check(range(150))


@pytest.mark.skipif(
    "KERAS_CONVNETS_TEST_DEEP" not in os.environ, reason="the other models are asked by .ci/run"
)
def test_many_more_random_models():
    check(range(150, 700))
