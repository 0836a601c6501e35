import csv
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from finished import FILES
from helpers import refusal
from keras_convnets import cli
from keras_convnets.cli.boundary import INTERRUPTED
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run import checkpoint

COMMAND = [sys.executable, "-m", "keras_convnets"]
# The smallest run: LeNet-5 on the digits, an epoch of 11 steps.
SMALL = ["train", "--model", "lenet_5", "--batch-size", "128", "--epochs", "1"]


def run(*arguments):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


def rows(folder="run"):
    with open(f"{folder}/history.csv", newline="") as file:
        return list(csv.DictReader(file))


def same_weights(one, other):
    one, other = (
        keras.models.load_model(f"{folder}/model.keras", compile=False).get_weights()
        for folder in (one, other)
    )
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.skipif(
    "KERAS_CONVNETS_TEST_DEEP" not in os.environ, reason="two minutes: .ci/run trains it"
)
def test_the_main_job_learns_to_read_digits():
    result = run("train", "--out", "run")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    accuracy = next(line for line in lines if line.startswith("test accuracy"))
    assert float(accuracy.split()[2].rstrip("%")) >= 98
    written = [line.strip() for line in lines[lines.index("written to run:") + 1 :]]
    assert written == FILES
    assert sorted(os.listdir("run")) == written
    assert keras.models.load_model("run/model.keras").output_shape == (None, 10)


@pytest.mark.slow
@pytest.mark.parametrize("epochs_done", [0, 1])
def test_ctrl_c_leaves_a_loadable_model_and_a_history(epochs_done):
    # A terminal of its own, as a person has: the progress bar is drawn, and Ctrl-C is a signal.
    terminal, child_side = pty.openpty()
    process = subprocess.Popen(
        # Epochs of many steps: the signal comes within one however late it is sent.
        [*COMMAND, *SMALL[:3], "--batch-size", "2", "--epochs", "50", "--out", "run"],
        stdout=child_side,
        stderr=child_side,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        # A shell starts what runs in the background deaf to Ctrl-C, and so all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(child_side)
    wait_for = b"epoch  1/50  loss" if epochs_done else b"images/s"
    shown = read_until(terminal, wait_for)
    process.send_signal(signal.SIGINT)
    shown += read_until(terminal, None)
    assert process.wait(timeout=120) == INTERRUPTED, shown
    assert b"Traceback" not in shown
    assert b"interrupted after %d epoch" % epochs_done in shown
    assert len(rows()) == epochs_done
    assert keras.models.load_model("run/model.keras").name == "lenet_5"
    _, position = checkpoint.read(Path("run/checkpoint.npz"))
    assert position.epoch == epochs_done
    assert position.step > 0 or epochs_done


def read_until(terminal, words):
    """Read what the terminal shows up to ``words``, or to the end."""
    shown = b""
    while words is None or words not in shown:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other side is closed
            assert words is None, shown
            break
    return shown


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_in_the_same_weights():
    options = ["--model", "lenet_5", "--epochs", "4", "--batch-size", "32", "--deterministic"]
    options += ["--checkpoint-steps", "7", "--seed", "3"]
    assert run("train", *options, "--out", "whole").returncode == 0
    moments, kills, stood = random.Random(0), 0, []
    while True:
        command = [*COMMAND, "train", *options, "--out", "run", "--continue"]
        with open("log", "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        # Wait for its first new checkpoint, so that each life gets further, then a random while.
        before, deadline = stamp(), time.monotonic() + 120
        while process.poll() is None and stamp() == before and time.monotonic() < deadline:
            time.sleep(0.01)
        if kills < 3:
            time.sleep(moments.uniform(0, 0.1))  # of the many more that are left to it
        else:
            process.wait(timeout=300)
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        kills += 1
        _, position = checkpoint.read(Path("run/checkpoint.npz"))
        stood.append((position.epoch, position.step))
    assert process.returncode == 0, Path("log").read_text()
    assert kills == 3, stood
    assert any(step for _, step in stood), stood  # mid-epoch
    print(f"killed {kills} times, at {stood}")
    assert same_weights("run", "whole")
    for one, other in zip(rows("run"), rows("whole"), strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    assert sorted(os.listdir("run")) == FILES


def stamp():
    file = Path("run/checkpoint.npz")
    return file.stat().st_mtime_ns if file.exists() else None


def test_dry_run_prints_the_plan_and_writes_nothing(capfd):
    assert cli.main([*SMALL, "--recipe", "imagenet", "--warmup-epochs", "0", "--dry-run"]) == 0
    out = capfd.readouterr().out
    assert os.listdir() == []
    assert "lenet_5: 61,706 parameters, 416,520 multiply-adds an image" in out
    assert "1,437 training and 360 test images of 1 x 32 x 32, 10 classes" in out
    assert "augmentation resized-crop" in out
    assert re.search(r"recipe +imagenet, .*batch_size=128.* \(Goyal et al. 2017", out)
    assert "11: 1 epoch of 11 steps of 128 images" in out
    assert "momentum 0.9 (Nesterov), decay 0.0001, label smoothing 0.1" in out
    assert re.search(r"step +4  epoch +0.4  0.005\n", out)  # a third of 11 steps
    assert re.search(r"time +[0-9.]+ s a step, \d+ s an epoch, \d+ s the run", out)
    assert re.search(r"memory +about \d+ MB at most: weights", out)


def test_every_value_of_a_recipe_can_be_overridden():
    values = {
        "batch_size": ("64", 64),
        "learning_rate": ("0.5", 0.5),
        "epochs": ("1", 1),
        "schedule": ("drops", "drops"),
        "drops": ("0.5,0.9", [0.5, 0.9]),
        "drop_factor": ("0.5", 0.5),
        "warmup_epochs": ("0", 0),
        "warmup_steps": ("2", 2),
        "warmup_rate": ("0.01", 0.01),
        "momentum": ("0.8", 0.8),
        "weight_decay": ("0.001", 0.001),
        "label_smoothing": ("0.2", 0.2),
        "augmentation": ("none", "none"),
        "images_per_rate": ("640", 640),
        "stage_decay": ("0.9", 0.9),
        "clipnorm": ("3", 3.0),
        "accumulation_steps": ("2", 2),
        "ema_momentum": ("0.5", 0.5),
    }
    others = {"optimizer": "sgd", "optimizer_arguments": {}, "loss": None, "final_rate": 0.0}
    others |= {"class_weights": None, "sampling": None, "patience": None}
    others |= {"clipvalue": 0.0, "global_clipnorm": 0.0}
    options = [part for name, (text, _) in values.items() for part in (option(name), text)]
    options += ["--nesterov", "--recipe", "resnet-cifar-110", "--model", "lenet_5"]
    assert cli.main(["train", *options, "--out", "run"]) == 0
    recipe = json.loads(Path("run/config.json").read_text())["recipe"]
    assert recipe == {
        "source": RECIPES["resnet-cifar-110"].source,
        "steps": None,
        "nesterov": True,
        **others,
        **{name: value for name, (_, value) in values.items()},
    }
    assert float(rows()[0]["learning_rate"]) == pytest.approx(0.5 * 2 * 64 / 640 * 0.25)


def option(name):
    return f"--{name.replace('_', '-')}"


def test_continue_starts_a_run_and_refuses_to_go_on_with_another(capfd):
    command = [*SMALL, "--out", "run", "--continue"]
    assert cli.main(command) == 0
    assert cli.main([*command, "--learning-rate", "0.5"]) == 2
    assert "'run' was begun with --learning-rate 0.03 (received 0.5)." in stderr(capfd)
    assert cli.main([*command[:2], "nin", *command[3:]]) == 2
    assert "'run' was begun with --model 'lenet_5' (received 'nin')." in stderr(capfd)


def stderr(capfd):
    return capfd.readouterr().err


def test_going_on_with_a_run_that_is_finished(capfd):
    assert cli.main([*SMALL, "--out", "run"]) == 0
    before = Path("run/model.keras").read_bytes()
    capfd.readouterr()
    assert cli.main(["train", "--resume", "run"]) == 2
    assert "A run that is finished cannot go on" in stderr(capfd)
    assert Path("run/model.keras").read_bytes() == before


def test_precision_and_speed():
    options = ["--precision", "mixed_bfloat16", "--steps-per-execution", "4"]
    assert cli.main([*SMALL, *options, "--checkpoint-steps", "8", "--out", "run"]) == 0
    model = keras.models.load_model("run/model.keras", compile=False)
    assert model.layers[1].compute_dtype == "bfloat16"
    assert model.layers[-1].compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"
    assert float(rows()[0]["accuracy"]) > 0.15


@pytest.mark.slow
def test_a_head_is_trained_on_the_frozen_features_of_a_run(capfd):
    assert cli.main([*SMALL, "--out", "run"]) == 0
    capfd.readouterr()
    options = ["--fine-tune", "run", "--freeze-until", "head", "--epochs", "1", "--seed", "5"]
    assert cli.main(["train", *options, "--out", "tuned"]) == 0
    begun, tuned = (
        keras.models.load_model(f"{folder}/model.keras", compile=False)
        for folder in ("run", "tuned")
    )
    frozen = [layer.name for layer in tuned.layers if layer.weights and not layer.trainable]
    assert frozen
    for layer in begun.layers:
        for one, other in zip(layer.weights, tuned.get_layer(layer.name).weights, strict=True):
            assert np.array_equal(one.numpy(), other.numpy()) == (layer.name in frozen)
    # The classes are those of the run, so its head was trained on.
    assert float(rows("tuned")[0]["accuracy"]) > float(rows("run")[0]["accuracy"])
    assert cli.main(["train", "--fine-tune", "run", "--model", "nin"]) == 2
    assert "fine-tune: received --model with it" in stderr(capfd)


@pytest.mark.slow
def test_a_run_is_tuned_to_other_classes_with_its_own_preprocessing(capfd):
    assert cli.main([*SMALL, "--out", "run"]) == 0
    colours = np.random.default_rng(0).integers(0, 255, (40, 20, 24, 3), np.uint8)
    for number, image in enumerate(colours):
        file = Path(f"images/{('cat', 'dog')[number % 2]}/{number}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    Path("images/cat/notes.txt").write_text("no image")
    options = [
        "--data",
        "folder:images",
        "--batch-size",
        "8",
        "--epochs",
        "1",
        "--stage-decay",
        "0.5",
    ]
    for start, out in (("run", "tuned"), ("run/model.keras", "from_file")):
        given = options if start == "run" else [*options, "--data", "digits", "--batch-size", "64"]
        assert cli.main(["train", "--fine-tune", start, *given, "--out", out]) == 0
    assert "left out: 1 file\n" in capfd.readouterr().out
    configs = {
        name: json.loads(Path(f"{name}/config.json").read_text()) for name in ("run", "tuned")
    }
    # The pixels of digits are 0 to 16, those of files 0 to 255.
    assert configs["run"]["preprocessing"]["scale"] == 16.0
    assert configs["tuned"]["preprocessing"] == configs["run"]["preprocessing"] | {"scale": 255.0}
    assert configs["tuned"]["data"]["class_names"] == ["cat", "dog"]
    model = keras.models.load_model("tuned/model.keras", compile=False)
    assert (model.name, model.input_shape, model.output_shape) == (
        "lenet_5",
        (None, 32, 32, 1),
        (None, 2),
    )
    assert cli.main(["predict", "tuned", "images/dog/1.png"]) == 0
    assert "dog" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--epochs 0", "epochs: received 0"),
        ("--epochs many", "invalid int value: 'many'"),
        ("--batch-size 5000", "batch_size: received 5000; expected at most the 1437"),
        ("--learning-rate -1", "learning_rate: received -1.0"),
        ("--seed -1", "seed: received -1"),
        ("--model resnet18", "Did you mean 'resnet_18'"),
        ("--out .", "which exists"),
        ("--out file/run", "is not a folder that you may write to"),
        ("--mod resnet_18", "unrecognized arguments: --mod"),
        ("--recipe resnet_cifar", "Did you mean 'resnet-cifar'"),
        ("--recipe resnet-cifar-110 --epochs 4", "warmup_steps: received 400 steps"),
        ("--drops 0.9,0.5", "drops: received (0.9, 0.5)"),
        ("--drops a", "received 'a'; expected shares"),
        ("--steps 3 --epochs 3", "epochs: received epochs=3 and steps=3"),
        ("--data digit", "Did you mean 'digits'"),
        ("--data folder:none", "folder"),
        ("--data folder:empty", "empty"),
        ("--data folder:one", "one"),
        ("--validation-split 1", "validation_split: received 1"),
        ("--augmentation mixing", "augmentation: received 'mixing'"),
        ("--model vgg_11 --image-size 16", "too small"),
        ("--model resnet_18 --image-size 8", "too small"),
        ("--resume none", "run: there is no 'none/config.json'"),
        ("--resume empty", "run: there is no 'empty/config.json'"),
        ("--resume none --epochs 3", "resume: received --epochs with it"),
        ("--continue", "continue: expected --out with it"),
        ("--fine-tune none", "none"),
        ("--fine-tune file.keras", "file.keras"),
        ("--freeze-until conv9", "conv9"),
        ("--stage-decay 2", "stage_decay: received 2"),
        ("--checkpoint-steps 0", "checkpoint_steps: received 0"),
        ("--steps-per-execution 3", "checkpoint_steps: received 500 with steps_per_execution=3"),
        ("--precision float8", "invalid choice: 'float8'"),
        ("--strategy many", "invalid choice: 'many'"),
        ("--workers a:1,b:2 --index 2", "index"),
        ("--workers a --index 0", "workers"),
        ("--index 0", "workers"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, words, capfd):
    for file in ("file", "file.keras"):
        Path(file).write_text("")
    Path("empty").mkdir()
    Path("one/cats").mkdir(parents=True)
    before = sorted(map(str, Path().rglob("*")))
    assert words in refusal(["train", *arguments.split()], capfd)
    assert sorted(map(str, Path().rglob("*"))) == before
