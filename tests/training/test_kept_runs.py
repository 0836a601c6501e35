"""Runs of this version and of those before it, kept in the repository: ``scripts/keep_run.py``."""

import io
import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from keras_convnets.inference.evaluate import evaluate
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run import checkpoint, config_file
from keras_convnets.training.run.pretrained import open_pretrained
from keras_convnets.training.run.run import resume, train
from keras_convnets.training.run.run_config import FORMAT
from keras_convnets.training.run.saved_run import open_run

KEPT = Path(__file__).parents[1] / "data/runs"
# Kernels of another processor sum in another order.
TOLERANCE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(params=range(FORMAT + 1))
def run(request):
    folder = KEPT / f"format_{request.param}"
    shutil.copytree(folder, "run")
    Path("run/expected.npz").rename("expected.npz")
    return Path("run")


@pytest.fixture
def expected(run):
    with np.load("expected.npz") as arrays:
        return dict(arrays)


def quiet():
    return Console(file=io.StringIO())


def predictions(run):
    found = open_run(run)
    evaluation = evaluate(found.model, found.load_data().test, found.preprocessing)
    return evaluation.probabilities[:40]


def test_there_is_a_run_of_each_format_and_it_is_small():
    assert sorted(os.listdir(KEPT)) == [f"format_{number}" for number in range(FORMAT + 1)]
    for folder in KEPT.iterdir():
        assert sum(file.stat().st_size for file in folder.iterdir()) < 100_000


def test_its_files_say_their_format(run):
    stored = json.loads((run / "config.json").read_text())
    config = config_file.read(run)
    assert config.format == stored.get("format", 0)
    assert (config.id is None) == (config.format == 0)
    _, position = checkpoint.read(run / "checkpoint.npz")
    assert (position.epoch, position.step, position.run) == (1, 2, config.id)
    assert open_run(run).config == stored


def test_it_is_evaluated(run, expected):
    np.testing.assert_allclose(predictions(run), expected["interrupted"], **TOLERANCE)
    arrays, _ = checkpoint.read(run / "checkpoint.npz")
    model = open_run(run).model
    if config_file.read(run).recipe.ema_momentum:
        return  # the model has the averages of the weights
    by_path = {name.split(" ", 1)[1]: array for name, array in arrays.items()}
    for weight in model.weights:
        assert weight.numpy().tobytes() == by_path[weight.path].tobytes()


@pytest.mark.slow
def test_it_is_resumed(run, expected):
    data = open_run(run).load_data()
    assert resume(run, data, console=quiet()).epochs == 2  # all, or as many as patience allows
    np.testing.assert_allclose(predictions(run), expected["resumed"], **TOLERANCE)
    assert config_file.read(run).format == FORMAT
    assert "start.keras" not in os.listdir(run)


@pytest.mark.slow
def test_it_is_fine_tuned(run):
    start = open_pretrained(run)
    found = open_run(run)
    data = found.load_data()
    model = start.for_classes(data.class_names)
    for one, other in zip(model.get_weights(), found.model.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    recipe = RECIPES["quick"].replace(epochs=1, batch_size=512)
    assert train(model, data, "tuned", recipe, console=quiet()).epochs == 1
    assert keras.models.load_model("tuned/model.keras").name == "kept"


def test_its_model_alone_knows_the_images_and_classes_since_format_2(run):
    alone, whole = open_pretrained(run / "model.keras"), open_run(run)
    if config_file.read(run).format < 2:
        assert (alone.preprocessing, alone.class_names) == (None, None)
    else:
        assert alone.preprocessing == whole.preprocessing
        assert alone.class_names == whole.class_names
