"""Runs that something happens to: another process, other files, a folder that goes away."""

import io
import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from killing import at_step, kill, undraw
from rich.console import Console

from keras_convnets.errors import RunStopped
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import checkpoint, config_file
from keras_convnets.training.run.pretrained import open_pretrained
from keras_convnets.training.run.run import resume, train
from keras_convnets.training.run.saved_run import open_run
from keras_convnets.training.run.tensorboard import TensorBoardLog

RECIPE = RECIPES["quick"].replace(epochs=3, batch_size=8)
SETTINGS = Settings(checkpoint_steps=2)
STEPS = 4


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch):
    undraw(monkeypatch)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (40, 4, 4, 1), "uint8")
    return Data.from_arrays(images, np.arange(40) % 2, class_names=("a", "b"))


def build(rate=0.0):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dropout(rate)]
    layers.append(keras.layers.Dense(2, activation="softmax", kernel_initializer="zeros"))
    return keras.Sequential([keras.Input((4, 4, 1)), *layers], name="net")


def quiet():
    return Console(file=io.StringIO())


def begin(data, folder="run", rate=0.0, **changes):
    return train(build(rate), data, folder, RECIPE.replace(**changes), SETTINGS, quiet())


@pytest.fixture(scope="module")
def killed(data, tmp_path_factory):
    """Return the folder of a run that was killed in its second epoch."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, STEPS + 3, kill)
        with pytest.raises(Exception, match="killed|memory"):
            begin(data, folder)
    return folder


@pytest.fixture
def stopped(killed):
    """Return a copy of such a folder, called ``run``."""
    shutil.copytree(killed, "run")
    return Path("run")


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return the weights at the end of a run that nothing happens to."""
    model = build()
    train(model, data, tmp_path_factory.mktemp("runs") / "run", RECIPE, SETTINGS, quiet())
    return model.get_weights()


def check_same(folder, whole):
    model = keras.models.load_model(folder / "model.keras")
    for one, other in zip(model.get_weights(), whole, strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_run_that_is_being_trained_is_nobody_elses(data, whole, monkeypatch):
    said = []

    def meanwhile():
        for go in (lambda: resume("run", data), lambda: begin(data)):
            with pytest.raises(ValueError, match="is being trained by this process, since"):
                go()
        for read in (open_run, lambda folder: open_pretrained(Path(folder))):
            with pytest.raises(ValueError, match="which has no model.keras yet"):
                read("run")
        said.append(config_file.read(Path("run")).model.name)

    at_step(monkeypatch, STEPS + 1, meanwhile)
    begin(data)
    assert said == ["net"]
    check_same(Path("run"), whole)
    assert ".lock" not in os.listdir("run")
    assert os.listdir() == ["run"]


@pytest.mark.parametrize(
    ("harm", "left"),
    [
        (lambda: shutil.rmtree("run"), []),
        (lambda: os.rename("run", "there"), ["there"]),
        (lambda: (os.rename("run", "there"), os.mkdir("run")), ["run", "there"]),
    ],
)
def test_a_folder_that_goes_away_stops_the_run_in_a_line(data, whole, monkeypatch, harm, left):
    with monkeypatch.context() as patch:
        at_step(patch, STEPS + 1, harm)
        with pytest.raises(RunStopped, match="'run', the folder of this run, was moved, removed"):
            begin(data)
    assert sorted(os.listdir()) == left
    if "run" in left:
        assert os.listdir("run") == []
    if "there" in left:
        resume("there", data, console=quiet())
        check_same(Path("there"), whole)


def points(folder):
    """Return the epochs of each curve in the logs, with repetitions."""
    found = {}
    for file in sorted((folder / "logs").rglob("*tfevents*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                found.setdefault((file.parent.name, value.tag), []).append(event.step)
    return found


def test_the_logs_have_every_epoch_once_wherever_a_run_was_killed(data, whole, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(TensorBoardLog, "epoch", kill)  # between the checkpoint and the logs
        with pytest.raises(Exception, match="killed|memory"):
            begin(data)
    assert points(Path("run")) == {}
    before = Path("run/checkpoint.npz").read_bytes()
    with monkeypatch.context() as patch:
        at_step(patch, STEPS + 1, kill)
        with pytest.raises(Exception, match="killed|memory"):
            resume("run", data, console=quiet())
    assert set(map(tuple, points(Path("run")).values())) == {(1, 2)}
    Path("run/checkpoint.npz").write_bytes(before)  # which the logs are ahead of
    resume("run", data, console=quiet())
    found = points(Path("run"))
    assert len(found) == 6
    assert set(map(tuple, found.values())) == {(1, 2, 3)}
    check_same(Path("run"), whole)


def test_files_of_another_run(data, stopped, whole):
    begin(data, "other", rate=0.5)
    other = Path("other")
    shutil.copytree(stopped, "mixed")
    mixed = Path("mixed")
    shutil.copy(other / "checkpoint.npz", mixed)
    with pytest.raises(ValueError, match=r"^resume: cannot use 'mixed/check.* it belongs to anoth"):
        resume(mixed, data, console=quiet())
    shutil.copy(stopped / "checkpoint.npz", mixed)
    shutil.copy(other / "model.keras", mixed / "start.keras")
    with pytest.raises(ValueError, match=r"^resume: 'mixed/start.keras' is not the model that the"):
        resume(mixed, data, console=quiet())
    shutil.copy(stopped / "start.keras", mixed)
    shutil.copy(other / "config.json", mixed)
    with pytest.raises(ValueError, match=r"^resume: 'mixed/start.keras' is not the model that the"):
        resume(mixed, data, console=quiet())
    shutil.copy(stopped / "config.json", mixed)
    resume(mixed, data, console=quiet())
    check_same(mixed, whole)
    open_run(mixed)
    shutil.copy(other / "model.keras", mixed)
    with pytest.raises(
        ValueError, match=r"whose model.keras is not the file that was written at its"
    ):
        open_run(mixed)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": 4}, "its history does not agree with its epoch"),
        ({"epoch": -1}, "its history does not agree with its epoch"),
        ({"step": STEPS}, "epoch 2 has no step 4"),
        ({"step": -1}, "its history does not agree with its epoch"),
        ({"run": "c0ffee"}, "it belongs to another run"),
        ({"history": {}}, "its history does not match its epochs"),
        ({"history": {name: [] for name in run_folder.COLUMNS}}, "does not agree with its epoch"),
        ({"seconds": float("nan")}, "its epoch has taken nan seconds"),
        ({"seconds": -1e300}, "its epoch has taken -1e+300 seconds"),
        ({"format": 2}, "was made by a newer keras_convnets (format 2; this one reads up to 1)"),
        ({"format": -1}, "cannot read 'run/checkpoint.npz'"),
        ({"epoch": "1"}, "cannot read 'run/checkpoint.npz'"),
        ({"epoch": True}, "cannot read 'run/checkpoint.npz'"),
        ({"history": {"loss": "abc"}}, "cannot read 'run/checkpoint.npz'"),
        ({"future": 1}, "cannot read 'run/checkpoint.npz'"),
    ],
)
def test_a_checkpoint_that_says_what_cannot_be(data, stopped, changes, words):
    file = stopped / run_folder.CHECKPOINT
    with np.load(file) as arrays:
        found = dict(arrays)
    position = json.loads(found["position"].tobytes()) | changes
    found["position"] = np.frombuffer(json.dumps(position).encode(), np.uint8)
    np.savez(file, **found)
    before = file.read_bytes()
    with pytest.raises(ValueError) as caught:
        resume(stopped, data, console=quiet())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == before


def test_what_has_the_place_of_a_file_is_refused_before_a_step(data, stopped, whole):
    files = ("history.csv", "curves.png", "report.html", "metrics.json", "model.svg", "model.keras")
    for name in (*files, "logs"):
        there = stopped / name
        kept = Path("kept")
        if there.exists():
            there.rename(kept)
        there.write_text("") if name == "logs" else there.mkdir()
        kind = "folder" if name == "logs" else "file"
        with pytest.raises(ValueError, match=rf"^run: 'run/{name}' is not a {kind}"):
            resume(stopped, data, console=quiet())
        there.unlink() if name == "logs" else there.rmdir()
        if kept.exists():
            kept.rename(there)
    resume(stopped, data, console=quiet())
    check_same(stopped, whole)


def test_a_model_of_another_run(data):
    begin(data, epochs=1)
    for shape, units, name, words in (
        ((4, 4, 1), 2, "other", "name 'other', and config.json says 'net'"),
        ((4, 4, 1), 3, "net", "parameters 51, and config.json says 34"),
        ((2, 8, 1), 2, "net", "takes images of (1, 2, 8); expected (1, 4, 4), as config.json says"),
        ((4, 4), 2, "net", "whose model.keras is not that of the run ("),
    ):
        layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(units)]
        keras.Sequential(layers, name=name).save("run/model.keras")
        with pytest.raises(ValueError, match=r"^run: received 'run', whose model.keras is ") as it:
            open_run("run")
        assert words in str(it.value)
        assert "\n" not in str(it.value)


def test_what_a_checkpoint_says_is_read_as_it_was_written(tmp_path):
    history = {"loss": [1.0, float("nan")], "accuracy": [0.5, float("inf")]}
    position = checkpoint.Position(2, 1, history, 1.5, "id")
    checkpoint.write(tmp_path / "checkpoint.npz", {}, position)
    _, found = checkpoint.read(tmp_path / "checkpoint.npz")
    assert str(found) == str(position)
