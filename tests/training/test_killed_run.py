"""A killed run ends in the same weights, whatever of the optimizer's state it was killed with."""

import io
from pathlib import Path

import keras
import numpy as np
import pytest
from killing import at_step, kill, undraw
from rich.console import Console

from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import checkpoint
from keras_convnets.training.run.run import resume, train
from keras_convnets.training.run.saved_run import open_run

STEPS = 5  # of an epoch; groups of 3 go on into the next one
_KERNEL = 6  # the index of the head's
RECIPE = Recipe("own", 8, 0.02, epochs=3, schedule="cosine", final_rate=0.01)


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch):
    undraw(monkeypatch)


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), "uint8")
    return Data.from_arrays(images, np.arange(40) % 2, class_names=("a", "b"))


def build(policy):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Conv2D(2, 3, name="conv1_conv", dtype=policy),
        keras.layers.BatchNormalization(name="conv1_bn", dtype=policy),
        keras.layers.Flatten(name="head_flatten"),
        keras.layers.Dense(2, "softmax", name="head_dense"),
    ]
    return keras.Sequential([keras.Input((4, 4, 1)), *layers], name="net")


def quiet():
    return Console(file=io.StringIO())


def found(folder):
    """Return the bytes of all that a checkpoint has, the history, and the model's weights."""
    arrays, position = checkpoint.read(folder / run_folder.CHECKPOINT)
    history = [values for name, values in position.history.items() if name != "seconds"]
    weights = [weight.tobytes() for weight in open_run(folder).model.get_weights()]
    return [array.tobytes() for array in arrays.values()], history, weights


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        (
            {
                "optimizer": "adamw",
                "weight_decay": 0.1,
                "clipnorm": 0.1,
                "accumulation_steps": 3,
                "ema_momentum": 0.8,
                "stage_decay": 0.5,
                "augmentation": "mixup:0.2+cutmix:1",
            },
            "float32",
        ),
        ({"optimizer": "nadam", "ema_momentum": 0.5, "clipvalue": 0.1}, "mixed_float16"),
        ({"stage_decay": 0.5, "accumulation_steps": 2, "global_clipnorm": 1}, "float32"),
    ],
    ids=["adamw", "nadam", "sgd"],
)
def test_a_killed_run_ends_in_the_same_weights(data, monkeypatch, changes, policy):
    recipe, settings = RECIPE.replace(**changes), Settings(checkpoint_steps=2)
    train(build(policy), data, "straight", recipe, settings, quiet())
    with monkeypatch.context() as patch:
        at_step(patch, STEPS + 3, kill)  # its checkpoint is of two steps into the second epoch
        with pytest.raises(Exception, match="killed|memory"):
            train(build(policy), data, "killed", recipe, settings, quiet())
    resume("killed", data, console=quiet())
    assert found(Path("killed")) == found(Path("straight"))
    arrays, _, weights = found(Path("straight"))
    is_trained = arrays[_KERNEL] in weights
    assert is_trained == ("ema_momentum" not in changes)  # or else the model has the averages
