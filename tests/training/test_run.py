import csv
import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from helpers import FORMATS
from keras_convnets import ResnetBuilder, create_model
from keras_convnets.registry import one_output
from keras_convnets.training import run, run_folder
from keras_convnets.training.data import digits
from keras_convnets.training.run import train
from keras_convnets.training.settings import Settings

SETTINGS = Settings(epochs=2, batch_size=128, learning_rate=0.02)


def build(data_format="channels_last", shape=(1, 32, 32), outputs=10):
    keras.utils.set_random_seed(0)
    return ResnetBuilder.build(shape, outputs, "basic_block", (1,), data_format=data_format)


def quiet():
    return Console(file=io.StringIO(), width=80)


def rows(folder):
    with (folder / run_folder.HISTORY).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("data_format", FORMATS)
def test_a_run_leaves_a_folder_with_all_that_came_of_it(data_format):
    model = build(data_format)
    data = digits(SETTINGS, data_format)
    console = quiet()
    outcome = train(model, data, Path("deep/run"), SETTINGS, console)
    folder = outcome.folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "curves.png",
        "history.csv",
        "model.keras",
        "model.svg",
    ]
    history = rows(folder)
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert float(history[1]["loss"]) < float(history[0]["loss"])
    assert float(history[1]["val_accuracy"]) == outcome.test_accuracy
    assert (outcome.epochs, outcome.interrupted) == (2, False)
    loaded = keras.models.load_model(folder / "model.keras")
    accuracy = loaded.evaluate(data.test, verbose=0)[1]
    assert accuracy == pytest.approx(outcome.test_accuracy)
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"] == {"epochs": 2, "batch_size": 128, "learning_rate": 0.02, "seed": 0}
    assert config["model"]["data_format"] == data_format
    assert config["model"]["parameters"] == model.count_params()
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "conv2" in (folder / "model.svg").read_text()
    lines = console.file.getvalue().splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", "1/2"], ["epoch", "2/2"]]


def test_the_learning_rate_falls_to_nothing():
    model = build()
    train(model, digits(SETTINGS), Path("run"), SETTINGS, quiet())
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-6)
    assert int(model.optimizer.iterations) == 2 * -(-1437 // 128)


@pytest.mark.parametrize(("after", "epochs"), [(3, 0), (15, 1)])
def test_an_interrupted_run_leaves_a_loadable_model_and_a_history(monkeypatch, after, epochs):
    model = build()
    steps = []
    data = digits(SETTINGS)

    class Interrupting(run.ConsoleProgress):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)
            if len(steps) == after:
                raise KeyboardInterrupt

    monkeypatch.setattr(run, "ConsoleProgress", Interrupting)
    outcome = train(model, data, Path("run"), SETTINGS, quiet())
    assert outcome.interrupted
    assert outcome.epochs == epochs == len(rows(outcome.folder))
    assert (outcome.test_accuracy is None) == (epochs == 0)
    loaded = keras.models.load_model(outcome.folder / "model.keras")
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert (outcome.folder / "curves.png").exists()


def test_a_folder_that_exists_is_not_touched():
    Path("run").mkdir()
    with pytest.raises(ValueError, match="^out: received 'run', which exists"):
        train(build(), digits(SETTINGS), Path("run"), SETTINGS)
    assert list(Path("run").iterdir()) == []


def test_a_folder_that_cannot_be_made():
    Path("file").write_text("")
    with pytest.raises(ValueError, match="'file/run', but .* is not a folder"):
        train(build(), digits(SETTINGS), Path("file/run"), SETTINGS)


@pytest.mark.parametrize(
    ("shape", "outputs", "words"),
    [
        ((1, 40, 40), 10, "takes images of (1, 40, 40); expected (1, 32, 32)"),
        ((3, 32, 32), 10, "Build it with input_shape=(1, 32, 32)"),
        ((1, 32, 32), 9, "has 9 outputs; expected 10"),
    ],
)
def test_a_model_that_does_not_fit_the_data(shape, outputs, words):
    with pytest.raises(ValueError, match="^model: ") as caught:
        train(build(shape=shape, outputs=outputs), digits(SETTINGS), Path("run"), SETTINGS)
    assert words in str(caught.value)
    assert not Path("run").exists()


def test_unknown_sizes_fit_any_image():
    one = Settings(epochs=1, batch_size=512)
    outcome = train(build(shape=(1, None, None)), digits(one), Path("run"), one, quiet())
    assert outcome.epochs == 1


def test_a_model_of_several_outputs_is_refused():
    with keras.StatelessScope(initialize_variables=False):
        model = create_model("googlenet", (1, 96, 96), 10)
    data = dataclasses.replace(digits(SETTINGS, "channels_last"), image_shape=(1, 96, 96))
    with pytest.raises(ValueError, match="googlenet has 3 outputs; expected one. Build it with"):
        train(model, data, Path("run"), SETTINGS, quiet())
    assert not Path("run").exists()
    assert one_output("googlenet") == {"include_auxiliary": False}
    assert one_output("resnet_18") == {}
