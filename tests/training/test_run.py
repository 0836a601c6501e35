import csv
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from killing import at_step, undraw
from PIL import Image
from rich.console import Console

from finished import FILES
from helpers import FORMATS
from keras_convnets import ResnetBuilder, cost, create_model
from keras_convnets.errors import RunStopped
from keras_convnets.images import reading
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.keras_private import without_values
from keras_convnets.shipping.card.place import read_card
from keras_convnets.shipping.export.fingerprint import fingerprint
from keras_convnets.training import run_folder
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import checkpoint, loop
from keras_convnets.training.run.configuration import check_same, configuration
from keras_convnets.training.run.run import resume, train
from keras_convnets.training.run.step_callback import StepCallback
from keras_convnets.zoo import one_output

RECIPE = RECIPES["quick"].replace(epochs=2, batch_size=128, learning_rate=0.02)
STEPS = 1437 // 128


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=8)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return the folder of a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return train(build(), data, folder, RECIPE, console=quiet()).folder


@pytest.fixture
def drawn():
    """For a test that looks at a run's drawings: the others go without them."""


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Leave the files empty whose drawing takes a third of a small run."""
    if "drawn" not in request.fixturenames:
        undraw(monkeypatch)


def build(data_format="channels_last", shape=(1, 8, 8), outputs=10, **options):
    keras.utils.set_random_seed(0)
    return ResnetBuilder.build(
        shape, outputs, "basic_block", (1,), data_format=data_format, **options
    )


def quiet():
    return Console(file=io.StringIO(), width=100)


def rows(folder):
    with (folder / run_folder.HISTORY).open(newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    return keras.models.load_model(folder / "model.keras").get_weights()


def stop_after(monkeypatch, steps, error):
    """Let the run end with an error after so many steps; return a list of the steps."""

    def stop():
        raise error

    return at_step(monkeypatch, steps, stop)


def end_after(monkeypatch, steps, go):
    """Let a run end after so many steps, as if it had been killed there."""
    with monkeypatch.context() as patch:
        stop_after(patch, steps, SystemError())
        with pytest.raises(SystemError):
            go()


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("data_format", FORMATS)
def test_a_run_leaves_a_folder_with_all_that_came_of_it(data_format, data):
    model = build(data_format)
    console = quiet()
    outcome = train(model, data, Path("deep/run"), RECIPE, console=console)
    folder = outcome.folder
    assert sorted(path.name for path in folder.iterdir()) == FILES
    history = rows(folder)
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert float(history[1]["loss"]) < float(history[0]["loss"])
    assert float(history[1]["val_accuracy"]) == pytest.approx(outcome.test_accuracy)
    assert (outcome.epochs, outcome.interrupted) == (2, False)
    found = json.loads((folder / "metrics.json").read_text())
    assert (found["accuracy"], found["data"]) == (outcome.test_accuracy, data.name)
    assert len(found["classes"]) == len(data.class_names)
    card = read_card(folder / "MODEL.md")
    assert (card.network, card.fingerprint) == (model.name, fingerprint(model))
    assert card.metrics == {name: found[name] for name in card.metrics}
    assert {"accuracy", "classes", "macro"} <= card.metrics.keys()
    assert ("epochs", "2") in card.training
    loaded = keras.models.load_model(folder / "model.keras")
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert int(loaded.optimizer.iterations) == 2 * STEPS
    config = json.loads((folder / "config.json").read_text())
    assert config["recipe"]["batch_size"] == 128
    assert config["settings"]["seed"] == 0
    assert config["model"]["data_format"] == data_format
    counts = config["model"]["parameters"], config["model"]["statistics"]
    assert counts == (cost(model).params, cost(model).statistics)
    assert config["preprocessing"] == data.preprocessing.to_config()
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "conv2" in (folder / "model.svg").read_text()
    assert os.stat(folder).st_mode & 0o777 == 0o777 & ~run_folder._umask()
    lines = console.file.getvalue().splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert "images/s" in lines[0]
    logged = {tag for file in (folder / "logs").rglob("*tfevents*") for tag in tags(file)}
    assert logged >= {"loss", "accuracy", "learning rate"}


def tags(file):
    events = tf.compat.v1.train.summary_iterator(str(file))
    return {value.tag for event in events for value in event.summary.value}


def test_the_learning_rate_is_the_recipes(data):
    model = build()
    recipe = RECIPE.replace(
        epochs=2, schedule="drops", drops=(0.5,), warmup_steps=3, warmup_rate=0.001
    )
    train(model, data, Path("run"), recipe, console=quiet())
    assert [float(row["learning_rate"]) for row in rows(Path("run"))] == pytest.approx(
        [0.02, 0.002]
    )
    assert float(model.optimizer.learning_rate) == pytest.approx(0.002)
    assert model.optimizer.momentum == 0.9


def test_the_model_of_a_run_opens_with_keras_alone(data, monkeypatch):
    # Its optimizer and its learning rates are of classes that Keras does not know.
    recipe = RECIPE.replace(batch_size=512, warmup_epochs=1, stage_decay=0.5)
    model = build()
    train(model, data, "run", recipe, console=quiet())
    known = keras.saving.get_custom_objects()
    for name in [name for name in known if name.startswith("keras_convnets>")]:
        monkeypatch.delitem(known, name)
    loaded = keras.models.load_model("run/model.keras")
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert [weight.path for weight in loaded.weights] == [weight.path for weight in model.weights]


def test_steps_that_end_within_an_epoch(data):
    model = build()
    outcome = train(model, data, Path("run"), RECIPE.replace(steps=STEPS + 3), console=quiet())
    assert outcome.epochs == 2
    assert int(model.optimizer.iterations) == STEPS + 3


@pytest.mark.slow
def test_a_run_goes_on_from_its_last_checkpoint_to_the_same_end(data, whole, monkeypatch):
    settings = Settings(checkpoint_steps=4)
    end_after(monkeypatch, 7, lambda: train(build(), data, Path("run"), RECIPE, settings, quiet()))
    # In the middle of an epoch, three steps after a checkpoint; after another one; after an epoch.
    for steps in (2, 6, 5):
        end_after(monkeypatch, steps, lambda: resume(Path("run"), data, console=quiet()))
    _, position = checkpoint.read(Path("run/checkpoint.npz"))
    assert (position.epoch, position.step) == (1, 0)
    outcome = resume(Path("run"), data, console=quiet())
    assert outcome.epochs == 2
    for one, other in zip(weights(Path("run")), weights(whole), strict=True):
        assert one.tobytes() == other.tobytes()
    for one, other in zip(rows(Path("run")), rows(whole), strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    assert sorted(os.listdir("run")) == FILES


def test_dropout_goes_on_with_the_same_random_numbers(data, monkeypatch):
    def net():
        keras.utils.set_random_seed(0)
        inputs = keras.Input((8, 8, 1))
        maps = keras.layers.Flatten()(inputs)
        maps = keras.layers.Dropout(0.5)(keras.layers.Dense(16, "relu")(maps))
        return keras.Model(inputs, keras.layers.Dense(10, "softmax")(maps), name="dropping")

    settings = Settings(checkpoint_steps=5)
    train(net(), data, Path("whole"), RECIPE, settings, quiet())
    end_after(monkeypatch, 7, lambda: train(net(), data, Path("run"), RECIPE, settings, quiet()))
    resume(Path("run"), data, console=quiet())
    for one, other in zip(weights(Path("run")), weights(Path("whole")), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(("after", "stands"), [(STEPS + 3, (1, 3)), (STEPS, (1, 0))])
def test_ctrl_c_leaves_a_checkpoint_of_that_very_step(after, stands, data, whole, monkeypatch):
    done = []
    taken = StepCallback.on_train_batch_end

    def signalling(self, batch, logs=None):
        done.append(batch)
        if len(done) == after:
            signal.raise_signal(signal.SIGTERM)
        taken(self, batch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(StepCallback, "on_train_batch_end", signalling)
        model = build()
        outcome = train(model, data, Path("run"), RECIPE, console=quiet())
    assert outcome.interrupted
    assert outcome.epochs == 1 == len(rows(outcome.folder))
    assert outcome.test_accuracy is not None
    _, position = checkpoint.read(Path("run/checkpoint.npz"))
    assert (position.epoch, position.step) == stands
    for one, other in zip(weights(Path("run")), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert not Path("run/report.html").exists()
    assert not resume(Path("run"), data, console=quiet()).interrupted
    for one, other in zip(weights(Path("run")), weights(whole), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("after", "epochs"), [(3, 0), (15, 1)])
def test_an_impatient_interruption_leaves_a_model_and_a_history(monkeypatch, data, after, epochs):
    model = build()
    stop_after(monkeypatch, after, KeyboardInterrupt())
    outcome = train(model, data, Path("run"), RECIPE, console=quiet())
    assert outcome.interrupted
    assert outcome.epochs == epochs == len(rows(outcome.folder))
    assert (outcome.test_accuracy is None) == (epochs == 0)
    for one, other in zip(weights(Path("run")), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert (outcome.folder / "curves.png").exists()


def test_what_is_no_data_or_no_recipe_is_refused_in_a_line(data):
    model, pixels = build(), np.zeros((4, 8, 8, 1))
    for words, arguments in (
        (
            "data: received a value of type tuple; expected one of type Data",
            (model, (pixels, [0] * 4)),
        ),
        ("recipe: received a value of type str; expected one of type Recipe", (model, data)),
    ):
        with pytest.raises(ValueError, match=words):
            train(*arguments, "run", "quick", console=quiet())
    with pytest.raises(ValueError, match="augmentation: received 'flop'; expected one of 'none'"):
        RECIPE.replace(augmentation="flop")
    assert not Path("run").exists()
    with pytest.raises(ValueError, match="images: received a value of type ndarray; expected one "):
        evaluate(model, pixels, data.preprocessing)
    with pytest.raises(ValueError, match="data: received a value of type PosixPath; expected one"):
        load_data(Path("digits"))


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(data):
    recipe = RECIPE.replace(learning_rate=1e30, schedule="drops")
    settings = Settings(checkpoint_steps=1)
    with pytest.raises(RunStopped, match=r"the loss is nan at step \d+ .*of epoch 1|not finite"):
        train(build(), data, Path("run"), recipe, settings, quiet())
    arrays, position = checkpoint.read(Path("run/checkpoint.npz"))
    assert position.step <= 2
    assert all(np.all(np.isfinite(array)) for array in arrays.values())


def test_a_full_disk_ends_the_run_in_a_line(data, monkeypatch):
    writes = []

    def full(*arguments):
        writes.append(arguments)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "plot_curves", full)
        with pytest.raises(RunStopped, match="cannot write to 'run': No space left on device"):
            train(build(), data, Path("run"), RECIPE, console=quiet())
    assert len(writes) == 1
    assert resume(Path("run"), data, console=quiet()).epochs == 2


def test_what_a_killed_run_had_half_written_is_swept_up(data, monkeypatch):
    end_after(monkeypatch, 3, lambda: train(build(), data, Path("run"), RECIPE, console=quiet()))
    Path("run/.checkpoint.npz.x12").mkdir()
    Path("run/.checkpoint.npz.x12/checkpoint.npz").write_text("half")
    Path("run/.git").mkdir()
    resume(Path("run"), data, console=quiet())
    assert sorted(os.listdir("run")) == [".git", *FILES]


def test_label_smoothing_and_logits(data):
    recipe = RECIPE.replace(label_smoothing=0.1, epochs=1)
    train(build(classifier_activation=None), data, Path("logits"), recipe, console=quiet())
    train(build(), data, Path("softmax"), recipe, console=quiet())
    one, other = rows(Path("logits"))[0], rows(Path("softmax"))[0]
    assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-3)
    assert float(one["loss"]) > 0.5
    assert float(one["val_accuracy"]) == pytest.approx(float(other["val_accuracy"]), abs=0.02)


def test_the_recipes_decay_takes_the_place_of_the_models(data):
    model, console = build(l2_penalty=1.0), quiet()
    train(model, data, Path("run"), RECIPE.replace(weight_decay=0.0, epochs=1), console=console)
    assert model.losses == []
    said = "the recipe's weight decay of 0 replaces the L2 penalty of resnet\n"
    assert console.file.getvalue().count(said) == 1
    other = build(l2_penalty=1.0)
    train(other, data, Path("other"), RECIPE.replace(weight_decay=0.5, epochs=1), console=quiet())
    kernels = [layer.kernel for layer in other.layers if isinstance(layer, keras.layers.Conv2D)]
    expected = sum(0.25 * float(keras.ops.sum(kernel**2)) for kernel in kernels)
    assert float(sum(other.losses)) == pytest.approx(expected, rel=1e-5)


def test_mixed_precision_is_scaled_and_goes_on(data, monkeypatch):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, other = build(), build()
    finally:
        keras.config.set_dtype_policy("float32")
    # Few and small steps: float16 is slow on a CPU.
    settings, one = Settings(checkpoint_steps=4), RECIPE.replace(steps=8, batch_size=32)
    train(model, data, Path("whole"), one, settings, quiet())
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    end_after(monkeypatch, 6, lambda: train(other, data, Path("run"), one, settings, quiet()))
    resume(Path("run"), data, console=quiet())
    for one, other in zip(weights(Path("run")), weights(Path("whole")), strict=True):
        assert one.tobytes() == other.tobytes()


def test_several_steps_an_execution_are_the_same_steps(data, whole):
    settings = Settings(steps_per_execution=4, checkpoint_steps=4)
    train(build(), data, Path("four"), RECIPE, settings, quiet())
    for one, other in zip(weights(whole), weights(Path("four")), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_xla_computes_the_same(data, whole):
    train(build(), data, Path("jit"), RECIPE, Settings(jit=True), quiet())
    one, other = rows(whole)[-1], rows(Path("jit"))[-1]
    assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-3)


def test_a_folder_that_exists_is_not_touched(data):
    Path("run").mkdir()
    with pytest.raises(ValueError, match="^out: received 'run', which exists"):
        train(build(), data, Path("run"))
    assert list(Path("run").iterdir()) == []


def test_a_folder_that_cannot_be_made(data):
    Path("file").write_text("")
    with pytest.raises(ValueError, match="'file/run', but .* is not a folder"):
        train(build(), data, Path("file/run"))


@pytest.mark.parametrize(
    ("shape", "outputs", "words"),
    [
        ((1, 40, 40), 10, "takes images of (1, 40, 40); expected (1, 8, 8)"),
        ((3, 8, 8), 10, "Build it with input_shape=(1, 8, 8)"),
        ((1, 8, 8), 9, "has 9 outputs; expected 10"),
    ],
)
def test_a_model_that_does_not_fit_the_data(shape, outputs, words, data):
    with pytest.raises(ValueError, match="^model: ") as caught:
        train(build(shape=shape, outputs=outputs), data, Path("run"))
    assert words in str(caught.value)
    assert os.listdir() == []


def test_a_batch_larger_than_the_data(data):
    with pytest.raises(ValueError, match="batch_size: received 1438; expected at most the 1437"):
        train(build(), data, Path("run"), RECIPE.replace(batch_size=1438))
    assert os.listdir() == []


def test_unknown_sizes_fit_any_image(data):
    one = RECIPE.replace(epochs=1, batch_size=512)
    outcome = train(build(shape=(1, None, None)), data, Path("run"), one, console=quiet())
    assert outcome.epochs == 1


def test_a_model_of_several_outputs_is_refused(data):
    with without_values():
        model = create_model("googlenet", (1, 96, 96), 10)
    large = dataclasses.replace(data.preprocessing, rows=96, cols=96)
    data = dataclasses.replace(data, preprocessing=large)
    with pytest.raises(ValueError, match="googlenet has 3 outputs; expected one. Build it with"):
        train(model, data, Path("run"))
    assert not Path("run").exists()
    assert one_output("googlenet") == {"include_auxiliary": False}
    assert one_output("resnet_18") == {}


def test_a_run_of_an_earlier_version_counted_all_weights_as_parameters(data):
    model = build()
    config = configuration(model, data, RECIPE, Settings())
    check_same(config, model, data, Path("run"))
    everything = config.model.parameters + config.model.statistics
    assert everything == model.count_params()

    def counting(parameters):
        facts = dataclasses.replace(config.model, parameters=parameters, statistics=None)
        return dataclasses.replace(config, model=facts)

    check_same(counting(everything), model, data, Path("run"))
    config = counting(everything + 1)
    with pytest.raises(ValueError, match="^resume: model: received parameters"):
        check_same(config, model, data, Path("run"))


def test_going_on_with_what_is_not_there_or_not_the_same(data, monkeypatch):
    with pytest.raises(ValueError, match="^run: there is no 'run/config.json'"):
        resume(Path("run"), data)
    end_after(monkeypatch, 3, lambda: train(build(), data, Path("run"), RECIPE, console=quiet()))
    other = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (2,))
    with pytest.raises(ValueError, match="^resume: model: received parameters"):
        resume(Path("run"), data, other)
    with pytest.raises(ValueError, match="^resume: data: received train_images 1293"):
        resume(Path("run"), load_data("digits", image_size=8, validation_split=0.1))
    shifted = dataclasses.replace(data.preprocessing, mean=(0.5,), std=(1.0,))
    with pytest.raises(ValueError, match="prepared in another way"):
        resume(Path("run"), dataclasses.replace(data, preprocessing=shifted))
    resume(Path("run"), data, console=quiet())
    with pytest.raises(ValueError, match="A run that is finished cannot go on"):
        resume(Path("run"), data)


def test_settings_out_of_range():
    for name in ("seed", "checkpoint_steps", "steps_per_execution"):
        with pytest.raises(ValueError, match=f"^{name}: received -1"):
            Settings(**{name: -1})
    with pytest.raises(
        ValueError, match="checkpoint_steps: received 500 with steps_per_execution=3"
    ):
        Settings(steps_per_execution=3)


def test_the_default_folder_is_named_after_model_and_data():
    assert str(run_folder.default("lenet_5", "folder:a/b/flowers/")).startswith(
        "runs/lenet_5-flowers-"
    )


def test_an_image_that_becomes_unreadable_stops_the_run_and_is_named(monkeypatch):
    random = np.random.default_rng(0)
    for number in range(48):
        file = Path(f"images/{'ab'[number % 2]}/{number}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (12, 12, 3), np.uint8)).save(file)
    monkeypatch.setattr(reading, "MEMORY", 0)  # so that images are read when they are needed
    images = load_data("folder:images", image_size=8)
    after = StepCallback.on_train_batch_end

    def spoiling(self, batch, logs=None):
        after(self, batch, logs)
        for number in range(48):
            Path(f"images/{'ab'[number % 2]}/{number}.png").write_bytes(b"no image")

    recipe = RECIPE.replace(batch_size=2, epochs=3)
    keras.utils.set_random_seed(0)
    model = ResnetBuilder.build((3, 8, 8), 2, "basic_block", (1,))
    with monkeypatch.context() as patch:
        patch.setattr(StepCallback, "on_train_batch_end", spoiling)
        with pytest.raises(RunStopped, match=r"images/[ab]/\d+.png: .*checkpoint.*--resume"):
            train(model, images, Path("run"), recipe, Settings(checkpoint_steps=1), quiet())
    _, position = checkpoint.read(Path("run/checkpoint.npz"))
    assert (position.epoch, position.step > 0) == (0, True)


@pytest.mark.slow
def test_two_devices_of_one_machine_learn_what_one_does_and_go_on_as_one(data):
    script = """
from pathlib import Path
import keras, tensorflow as tf
from keras_convnets import ResnetBuilder
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run.run import train
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.step_callback import StepCallback
from keras_convnets.training.distribute.strategies import choose_strategy

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = choose_strategy("mirrored")
after = StepCallback.on_train_batch_end

def stopping(self, batch, logs=None):
    after(self, batch, logs)
    if batch == 6:
        raise SystemError

def run(name):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
    recipe = RECIPES["quick"].replace(
        epochs=2, batch_size=128, learning_rate=0.02, ema_momentum=0.8, stage_decay=0.9
    )
    settings = Settings(sync_bn=True, checkpoint_steps=3)
    train(model, load_data("digits", image_size=8), Path(name), recipe, settings)

run("two")
StepCallback.on_train_batch_end = stopping
run("stopped")
"""
    recipe = RECIPE.replace(ema_momentum=0.8, stage_decay=0.9)
    train(build(), data, Path("one"), recipe, Settings(sync_bn=True, checkpoint_steps=3), quiet())
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    assert result.stderr.splitlines()[-1] == "SystemError"
    assert sorted(os.listdir("two")) == FILES
    resume(Path("stopped"), data, console=quiet())  # on one device
    for name in ("two", "stopped"):
        for one, other in zip(rows(Path("one")), rows(Path(name)), strict=True):
            for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
                assert float(other[column]) == pytest.approx(float(one[column]), rel=1e-3), column
        for one, other in zip(weights(Path("one")), weights(Path(name)), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
