"""Networks of the user's own by ``module:function`` and by file, in every command."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import refusal
from keras_convnets import cli, cost, create_model, load_model
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.own_networks import in_a_path
from keras_convnets.training.run.request import RunRequest

NETWORKS = """
import keras

def small(input_shape, num_outputs, width=4):
    channels, rows, cols = input_shape
    x = inputs = keras.Input((rows, cols, channels))
    x = keras.layers.Conv2D(width, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(num_outputs, activation="softmax")(x))

def named(input_shape, num_outputs):
    model = small(input_shape, num_outputs)
    return keras.Model(model.inputs[0], model.outputs[0], name="with_a_name")

class Family:
    @staticmethod
    def wide(input_shape, num_outputs):
        return small(input_shape, num_outputs, width=8)

def broken(input_shape, num_outputs):
    return rows(*input_shape)

def rows(channels, rows, cols):
    return {}["rows"]

def three(a, b, c): ...
def none(input_shape, num_outputs): ...
"""

trains = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="trains a network")


@pytest.fixture(autouse=True)
def _files(monkeypatch):
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    Path("networks_of_a_test.py").write_text(NETWORKS)
    Path("broken_of_a_test.py").write_text("import keras\n\nkeras.no_such_thing\n")
    yield
    for module in ("networks_of_a_test", "broken_of_a_test"):
        sys.modules.pop(module, None)


def test_a_function_is_a_network_by_its_name():
    model = create_model("networks_of_a_test:small", (2, 8, 9), 5)
    assert (model.name, model.input_shape, model.output_shape) == (
        "small",
        (None, 8, 9, 2),
        (None, 5),
    )
    assert create_model("networks_of_a_test:named", (1, 8, 8), 5).name == "with_a_name"
    assert cost(create_model("networks_of_a_test:Family.wide", (1, 8, 8), 5)).params == 80 + 45
    assert cost(create_model("networks_of_a_test:small", (1, 8, 8), 5, width=8)).params == 80 + 45


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere_of_a_test:small", r"there is no module 'nowhere_of_a_test'; .*\.py, or an inst"),
        ("networks_of_a_test:gone", r"\(.*networks_of_a_test\.py\) has nothing of that name"),
        ("networks_of_a_test:keras", "has a .*odule there; expected a function of"),
        ("networks_of_a_test:three", "missing a required argument: 'c'"),
        ("networks_of_a_test:none", "returns None; expected a keras.Model"),
        ("networks_of_a_test:broken", r"KeyError: 'rows' \(networks_of_a_test\.py, line 24\)"),
        ("broken_of_a_test:net", r"AttributeError: .* \(broken_of_a_test\.py, line 3\)\. Mend it"),
        ("networks_of_a_test:", "not the name of a network.*by 'module:function'"),
    ],
)
def test_what_is_no_such_function_is_refused_in_a_line(name, words):
    with pytest.raises(ValueError, match=f"^model: .*{words}") as caught:
        create_model(name, (1, 8, 8), 5)
    assert "\n" not in str(caught.value)


def test_what_the_function_does_not_take():
    with pytest.raises(ValueError, match="small does not take 'depth'; it takes input_shape, num_"):
        create_model("networks_of_a_test:small", (1, 8, 8), 5, depth=3)


QUICK = ["--epochs", "1", "--batch-size", "256", "--image-size", "8"]


@pytest.mark.slow
@trains
def test_a_function_and_its_file_are_trained_by_the_command(capfd):
    name = "networks_of_a_test:small"
    for command in (["summary", name], ["cost", name, "--input-shape", "1,8,8"]):
        assert cli.main(command) == 0
    assert cli.main(["train", "--model", name, *QUICK, "--dry-run"]) == 0
    assert "small: 90 parameters" in capfd.readouterr().out
    assert cli.main(["train", "--model", name, *QUICK, "--out", "run"]) == 0
    config = json.loads(Path("run/config.json").read_text())
    assert (config["request"]["network"], config["model"]["name"]) == (name, "small")
    again = ["train", "--out", "run", "--continue", "--model"]
    assert cli.main([*again, name]) == 0
    capfd.readouterr()
    assert f"begun with --model '{name}'" in refusal([*again, "lenet_5"], capfd)
    file = ["train", "--model", "run/model.keras", "--epochs", "1", "--batch-size", "256"]
    assert cli.main([*file, "--out", "more"]) == 0
    assert "digits: 1,437 training and 360 test images of 1 x 8 x 8" in capfd.readouterr().out
    kept = json.loads(Path("more/config.json").read_text())["request"]["network"]
    assert kept == str(Path("run/model.keras").absolute())
    for option in (["--weights", "torchvision"], ["--precision", "mixed_bfloat16"]):
        line = refusal([*file, *option], capfd)
        assert "with the saved model run/model.keras, which has its own" in line


@trains
def test_a_saved_model_is_trained_as_it_is(capfd):
    head = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((8, 6, 1)), *head]).save("three.keras")
    line = refusal(["train", "--model", "three.keras"], capfd)
    assert "has 3 outputs; expected 10, the classes of digits. Start from it by --fine-tune" in line


@trains
def test_one_output_is_for_two_classes_of_a_network_that_is_built(capfd):
    rng = np.random.default_rng(0)
    for label, folder in enumerate(("images/no", "images/yes")):
        Path(folder).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 128, (8, 8, 3), np.uint8) + np.uint8(127 * label)
            Image.fromarray(pixels).save(f"{folder}/{number}.png")
    train = ["train", "--one-output", "--data", "folder:images", "--image-size", "32"]
    short = ["--epochs", "1", "--batch-size", "8"]
    assert cli.main([*train, *short, "--model", "lenet_5", "--out", "run"]) == 0
    config = json.loads(Path("run/config.json").read_text())
    assert (config["model"]["num_outputs"], config["request"]["one_output"]) == (1, True)
    assert outputs_of(load_model("run/model.keras")).kind == "sigmoid"
    own = ["--model", "networks_of_a_test:small", "--dry-run"]
    assert cli.main([*train, *short, *own]) == 0
    capfd.readouterr()
    digits = ["train", "--one-output", "--image-size", "32", "--model", "lenet_5"]
    assert "which has 10 classes; expected two classes" in refusal(digits, capfd)
    assert "one_output: received True" in refusal([*digits, "--weights", "torchvision"], capfd)


def test_folders_are_named_without_a_colon():
    assert in_a_path("my.nets:small") == "my.nets-small"
    assert RunRequest("nets:small").folder.name.startswith("nets-small-digits-")
    assert RunRequest("a/three.keras").folder.name.startswith("three-digits-")
