import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from finished import write_run
from keras_convnets.recursion import room_for
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.configuration import configuration
from keras_convnets.training.run.saved_run import open_run


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=16)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, write_run(folder, data)


def test_all_that_a_prediction_needs(finished, data):
    folder, model = finished
    run = open_run(str(folder))
    assert run.folder == folder
    assert run.class_names == tuple("0123456789")
    assert run.preprocessing == data.preprocessing
    assert run.config["data"]["name"] == "digits"
    for ours, theirs in zip(run.model.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.slow
def test_a_deep_model(data):
    Path("run").mkdir()
    x = inputs = keras.Input((16, 16, 1))
    with room_for(1_000):
        for _ in range(1_000):
            x = keras.layers.Identity()(x)
        x = keras.layers.Flatten()(x)
        model = keras.Model(inputs, keras.layers.Dense(10)(x))
        model.save("run/model.keras")
    config_file.write(Path("run"), configuration(model, data, RECIPES["quick"], Settings()))
    assert len(open_run("run").model.layers) == 1_003


def scale(run, value):
    """Write another scale of the pixels, as the package would."""
    config = config_file.read(run)
    images = dataclasses.replace(config.preprocessing, scale=value)
    config_file.write(run, dataclasses.replace(config, preprocessing=images))


def change(config, *path, to=None):
    """Set what stands under a path in the configuration, or take it away."""
    found = json.loads(config.read_text())
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    config.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: shutil.rmtree(run), "run: received 'run', which does not exist; expected"),
        (lambda run: (shutil.rmtree(run), run.write_text("")), "which is a file"),
        (lambda run: (run / "config.json").unlink(), "there is no 'run/config.json'"),
        (lambda run: (run / "config.json").write_text("{"), "cannot read 'run/config.json'"),
        (lambda run: (run / "config.json").write_text("[]"), "it holds []; expected a JSON object"),
        (lambda run: change(run / "config.json", "preprocessing"), "it lacks 'preprocessing'"),
        (
            lambda run: change(run / "config.json", "data", "class_names"),
            "it lacks 'data.class_names'",
        ),
        (
            lambda run: change(run / "config.json", "data", "class_names", to="0123456789"),
            "class_names: received '0123456789'; expected a list",
        ),
        (
            lambda run: change(run / "config.json", "data", "class_names", to=["a", "b"]),
            "data.class_names: received 2 classes; expected 10, the outputs of the model",
        ),
        (
            lambda run: scale(run, -1.0),
            "cannot read 'run/config.json' (preprocessing: scale: received -1",
        ),
        (
            lambda run: change(run / "config.json", "preprocessing", "zoom", to=2),
            "cannot read 'run/config.json' (it has 'preprocessing.zoom', which is unknown)",
        ),
        (
            lambda run: (run / "model.keras").unlink(),
            "which has no model.keras yet; expected the folder of a finished run. Finish it",
        ),
        (lambda run: (run / "model.keras").write_text("x"), "model.keras cannot be read ("),
    ],
)
def test_folders_of_no_finished_run(finished, spoil, words):
    run = Path("run")
    shutil.copytree(finished[0], run)
    spoil(run)
    with pytest.raises(ValueError, match="^run: ") as caught:
        open_run("run")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
