"""Keras callbacks within a run, best epochs, patience and time limits, killed or not."""

import io
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from helpers import refusal
from keras_convnets import cli
from keras_convnets.cli.train_options.checkpoints import _seconds
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import best, interruption, loop, results
from keras_convnets.training.run import run as module_of_run
from keras_convnets.training.run.best_epoch import best_epoch
from keras_convnets.training.run.own_callbacks import checked
from keras_convnets.training.run.run import resume, train
from keras_convnets.training.run.saved_run import open_run

RECIPE = RECIPES["quick"].replace(epochs=6, batch_size=16, learning_rate=0.3)


@pytest.fixture(scope="module", autouse=True)
def _undrawn():
    with pytest.MonkeyPatch.context() as patch:
        for module in (loop, results):
            patch.setattr(module, "plot_curves", lambda *_: None)
        patch.setattr(results, "write_report", lambda *_: None)
        patch.setattr(module_of_run, "plot_model", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (120, 4, 4, 1), np.uint8)
    return Data.from_arrays(images, np.arange(120) % 3, validation_split=0.25)


def build():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential([keras.Input((4, 4, 1)), *layers], name="small")


def quiet():
    return Console(file=io.StringIO(), width=200)


def run(data, folder, recipe=RECIPE, settings=None, **options):
    return train(build(), data, folder, recipe, settings, console=quiet(), **options)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return the folder of a run that nothing disturbs."""
    return run(data, tmp_path_factory.mktemp("runs") / "whole").folder


def weights(file):
    return keras.models.load_model(file, compile=False).get_weights()


def same(one, other):
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


class Events(keras.callbacks.Callback):
    """Keeps what it is told, and may do something then."""

    def __init__(self, act=None):
        super().__init__()
        self.seen, self.act = [], act

    def note(self, *event):
        self.seen.append(event)
        if self.act is not None:
            self.act(self, *event)

    def on_train_begin(self, logs=None):
        self.note("train", self.params["epochs"], self.params["steps"])

    def on_epoch_begin(self, epoch, logs=None):
        self.note("epoch", epoch)

    def on_train_batch_end(self, batch, logs=None):
        self.note("step", batch)

    def on_test_end(self, logs=None):
        self.note("test")

    def on_epoch_end(self, epoch, logs=None):
        self.note("done", epoch, tuple(sorted(logs)))

    def on_train_end(self, logs=None):
        self.note("end")


LOGS = ("accuracy", "loss", "val_accuracy", "val_loss")


def test_they_see_one_fit_over_all_epochs(data):
    events, history = Events(), keras.callbacks.History()
    short = RECIPE.replace(epochs=2)
    saved = keras.callbacks.ModelCheckpoint("{epoch}.keras", monitor="val_loss")
    run(data, "run", short, callbacks=[events, history, saved, keras.callbacks.CSVLogger("a.csv")])
    steps = [("step", step) for step in range(72 // 16)]
    epochs = [
        event
        for epoch in range(2)
        for event in (("epoch", epoch), *steps, ("test",), ("done", epoch, LOGS))
    ]
    assert events.seen == [("train", 2, 4), *epochs, ("end",)]
    rows = np.genfromtxt("run/history.csv", delimiter=",", names=True)
    for name in LOGS:
        assert history.history[name] == pytest.approx(list(rows[name]))
    assert len(Path("a.csv").read_text().splitlines()) == 3
    assert same(weights("2.keras"), weights("run/model.keras"))


def test_one_that_stops_the_run_in_an_epoch_ends_it_as_finished(data):
    def stop(self, *event):
        self.model.stop_training = self.model.stop_training or event == ("step", 1)

    events = Events(stop)
    outcome = run(data, "run", callbacks=[events])
    assert (outcome.epochs, outcome.interrupted) == (1, False)
    assert outcome.stopped == "a callback has stopped it"
    assert [event[0] for event in events.seen][-4:] == ["step", "test", "done", "end"]
    assert json.loads(Path("run/config.json").read_text())["outcome"]["stopped"] == outcome.stopped


def test_early_stopping_of_keras_restores_its_best_weights(data):
    stopping = keras.callbacks.EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    kept = keras.callbacks.ModelCheckpoint("b.keras", monitor="val_accuracy", save_best_only=True)
    outcome = run(data, "run", callbacks=[stopping, kept])
    assert outcome.stopped is not None
    assert same(weights("run/model.keras"), weights("b.keras"))


@pytest.mark.parametrize("event", [("done", 1, LOGS), ("step", 2)], ids=str)
def test_an_error_of_one_is_raised_and_the_run_goes_on_to_the_same_weights(data, whole, event):
    error = OSError(28, "of the user")

    def fail(self, *seen):
        if seen == event and len(self.seen) > 8:
            raise error

    with pytest.raises(OSError, match="of the user") as caught:
        run(data, "run", settings=Settings(checkpoint_steps=1), callbacks=[Events(fail)])
    assert caught.value is error
    events = Events()
    assert resume("run", data, console=quiet(), callbacks=[events]).epochs == 6
    assert events.seen[0][0] == "train"
    for file in ("model.keras", "best.keras"):
        assert same(weights(f"run/{file}"), weights(whole / file)), file


def test_an_error_before_the_first_step_leaves_nothing(data):
    def fail(self, *seen):
        raise RuntimeError("of the user")

    with pytest.raises(RuntimeError, match="of the user"):
        run(data, "run", callbacks=[Events(fail)])
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("callbacks", "words"),
    [
        (
            [keras.callbacks.ReduceLROnPlateau()],
            "received keras.callbacks.ReduceLROnPlateau; .*rate",
        ),
        ([keras.callbacks.LearningRateScheduler(float)], "LearningRateScheduler; .*schedule"),
        ([keras.callbacks.BackupAndRestore("b")], "BackupAndRestore; .* checkpoints of its own"),
        ([keras.callbacks.SwapEMAWeights()], "SwapEMAWeights; .* ema_momentum"),
        ([keras.callbacks.History], "received <class .*Pass an instance"),
        (keras.callbacks.History(), "expected a list"),
    ],
)
def test_what_cannot_work_in_a_run_is_refused(callbacks, words):
    with pytest.raises(ValueError, match=f"^callbacks: .*{words}"):
        checked(callbacks)


def test_one_that_restores_weights_beside_averages_is_refused():
    stopping = keras.callbacks.EarlyStopping(restore_best_weights=True)
    assert checked([stopping]) == [stopping]
    with pytest.raises(ValueError, match="^callbacks: .* beside ema_momentum"):
        checked([stopping], averages=True)


def test_patience_ends_a_killed_run_after_the_same_epoch(data, monkeypatch):
    patient = RECIPE.replace(epochs=20, patience=2)
    whole = run(data, "whole", patient)
    assert 3 <= whole.epochs < 20
    assert whole.best_epoch == whole.epochs - 2
    assert whole.stopped == f"no epoch was better than epoch {whole.best_epoch}"
    for fails in ("write_best", "write_history"):

        def fail(*_):
            raise SystemError

        with monkeypatch.context() as patch:
            module = loop if fails == "write_best" else loop.run_folder
            patch.setattr(module, fails, fail)
            with pytest.raises(SystemError):
                run(data, fails, patient)
        assert resume(fails, data, console=quiet()).epochs == whole.epochs
        for file in ("model.keras", "best.keras"):
            assert same(weights(f"{fails}/{file}"), weights(f"whole/{file}"))


def test_the_best_model_is_that_of_the_best_epoch(data, whole):
    shutil.copytree(whole, "run")
    history = np.genfromtxt("run/history.csv", delimiter=",", names=True)
    epoch = json.loads(Path("run/config.json").read_text())["outcome"]["best_epoch"]
    assert history["val_accuracy"][epoch - 1] == history["val_accuracy"].max()
    found = open_run("run", best=True)
    assert run(data, "short", RECIPE, callbacks=[stop_after(epoch)]).epochs == epoch
    assert same(found.model.get_weights(), weights("short/model.keras"))
    assert getattr(found.model, "optimizer", None) is None
    Path("run/best.keras").write_bytes(Path("short/model.keras").read_bytes())
    with pytest.raises(ValueError, match="whose best.keras is not the file that was written"):
        open_run("run", best=True)


def stop_after(epochs):
    def stop(self, *event):
        if event[:2] == ("done", epochs - 1):
            self.model.stop_training = True

    return Events(stop)


def test_which_epoch_is_the_best_and_when_a_run_keeps_its_model(data):
    assert best_epoch({"val_accuracy": [], "val_loss": []}) == 0
    assert best_epoch({"val_accuracy": [0.5, 0.5], "val_loss": [1.0, 1.0]}) == 1
    tested = Data.from_arrays(data.train.array, data.train.labels)
    assert best.is_kept(Settings(), data)
    assert not best.is_kept(Settings(), tested)
    assert not best.is_kept(Settings(keep_best=False), data)
    console = quiet()
    train(build(), tested, "run", RECIPE.replace(patience=1), console=console)
    assert "the end of the run is chosen by the test images" in console.file.getvalue()
    assert not Path("run/best.keras").exists()
    with pytest.raises(ValueError, match=r"^best: .*'run', which has no best\.keras; expected"):
        open_run("run", best=True)


@pytest.mark.parametrize(("epochs", "words"), [(5, "at most 3"), (2, "none")])
def test_a_patience_longer_than_the_run(data, epochs, words):
    with pytest.raises(ValueError, match=f"^patience: received 4 with a run of {epochs} .*{words}"):
        run(data, "run", RECIPE.replace(epochs=epochs, patience=4))


def test_a_time_limit_ends_a_process_and_the_run_goes_on(data, whole, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(interruption.time, "monotonic", lambda: now[0])

    def late(self, *event):
        now[0] += event == ("step", 1)

    outcome = run(data, "run", settings=Settings(time_limit=1.5), callbacks=[Events(late)])
    assert (outcome.epochs, outcome.interrupted, outcome.timed_out) == (1, True, True)
    outcome = resume("run", data, console=quiet(), callbacks=[Events(late)])
    assert (outcome.epochs, outcome.timed_out) == (3, True)
    outcome = resume("run", data, console=quiet())
    assert (outcome.epochs, outcome.interrupted, outcome.timed_out) == (6, False, False)
    for file in ("model.keras", "best.keras"):
        assert same(weights(f"run/{file}"), weights(whole / file))


def test_times_have_a_unit():
    assert [_seconds(text) for text in ("90s", "30m", "2h", "1h30m", "1h0m5s", "0.5s")] == [
        *(90, 1800, 7200, 5400, 3605, 0.5)
    ]


def test_the_command_ends_with_its_own_code_and_resumes(capfd):
    train = ["train", "--model", "lenet_5", "--epochs", "3", "--batch-size", "256"]
    data = ["--image-size", "28", "--validation-split", "0.3", "--out", "run"]
    assert cli.main([*train, *data, "--time-limit", "0.001s"]) == 124
    out = capfd.readouterr().out
    assert "time limit reached after 0 epochs; go on with keras-convnets train --resume run" in out
    assert cli.main(["train", "--resume", "run", "--time-limit", "2h"]) == 0
    assert "best epoch" in capfd.readouterr().out
    assert cli.main(["evaluate", "run", "--best"]) == 0
    capfd.readouterr()
    for wrong in ("90", "x", "0s", "-1s", "1h 2m", "m"):
        assert "expected a time with its unit" in refusal([*train, f"--time-limit={wrong}"], capfd)
    assert "which is one model" in refusal(["evaluate", "run/best.keras", "--best"], capfd)
