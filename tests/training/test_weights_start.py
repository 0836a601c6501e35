"""Training from the weights of a file."""

import json
from pathlib import Path

import numpy as np
import pytest

import small_weights
from keras_convnets import cli, save_weights
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.known import Known, remember
from keras_convnets.training import DataRequest, RunRequest, plan_run
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run import run as runs
from keras_convnets.training.run.start import make_start
from keras_convnets.zoo import create_model
from small_weights import small_resnet  # noqa: F401 - for all tests here

SHORT = ["--image-size", "16", "--batch-size", "256", "--epochs", "1"]


def train(*options):
    return cli.main(["train", "--weights", "small.safetensors", *SHORT, *options])


def test_a_run_starts_from_the_weights_of_a_file(monkeypatch, capfd):
    arrays = small_weights.write()
    started = []
    begin = runs.begin
    monkeypatch.setattr(
        "keras_convnets.training.run.launch.begin",
        lambda model, *others, **named: (
            started.append([*model.get_weights()]),
            begin(model, *others, **named),
        )[1],
    )
    assert train("--model", "small_resnet", "--channels", "1", "--out", "run") == 0
    kernel = arrays["conv1.weight"].sum(axis=1, keepdims=True).transpose(2, 3, 1, 0)
    np.testing.assert_allclose(started[0][0], kernel, rtol=1e-5, atol=1e-6)
    out = capfd.readouterr().out
    assert "weights of small.safetensors (torchvision, safetensors): 15 loaded" in out
    assert "adapted: conv1_conv/kernel (3 channels to 1: their sum)" in out
    assert "new: head_dense (10 outputs, 7 in the file)" in out
    config = json.loads(Path("run/config.json").read_text())
    assert config["request"]["network"] == "small_resnet"
    assert config["request"]["weights"] == str(Path("small.safetensors").absolute())
    assert config["weights"]["file"] == "small.safetensors"
    assert len(config["weights"]["sha256"]) == 64
    assert config["weights"]["anew"] == ["head_dense"]
    # The file is not needed any more, and what differs is refused.
    Path("small.safetensors").unlink()
    assert train("--continue", "--out", "run") == 0
    assert "is finished" in capfd.readouterr().out
    assert cli.main(["train", "--continue", "--out", "run", "--weights", "other.pth"]) == 2
    assert "was begun with --weights" in capfd.readouterr().err


def request_for(data, size=16, **others):
    recipe = RECIPES["quick"].replace(epochs=1, batch_size=256)
    wanted = DataRequest(data, image_size=size, **others)
    return RunRequest(
        "small_resnet", "small.safetensors", data=wanted, recipe=recipe, out=Path("run")
    )


def test_the_head_is_new_for_other_classes():
    small_weights.write(classes=10)
    start = make_start(request_for("digits"), create_model, None)
    assert start.weights.anew == ("head_dense",)
    assert "  new: head_dense (the file does not name its classes)" in start.words
    assert start.model.output_shape == (None, 10)


IMAGES = {"channels": 3, "rows": 32, "cols": 32, "resize": "crop", "shorter_side": 36}
IMAGES |= {"scale": 255.0, "mean": [0.6, 0.5, 0.4], "std": [0.2, 0.2, 0.2]}


@pytest.fixture
def trained():
    """Write the weights of a model that knows its images, and the classes of the digits."""
    model = small_weights.SmallBuilder.build_small_resnet((3, 32, 32), 10)
    remember(model, Known(preprocessing=IMAGES, class_names=tuple("0123456789")))
    save_weights(model, "small.safetensors")
    return model


def test_images_are_prepared_as_those_of_the_weights(trained):
    start = make_start(request_for("digits", None), create_model, None)
    assert start.data.preprocessing == Preprocessing.from_config(IMAGES | {"scale": 16.0})
    assert start.weights.anew == ()
    for weight, expected in zip(start.model.weights, trained.weights, strict=True):
        assert np.array_equal(weight, expected)


def test_images_of_other_sizes_and_channels(trained):
    images = make_start(request_for("digits", 64, channels=1), create_model, None).data
    assert images.preprocessing == Preprocessing.from_config(
        IMAGES
        | {"channels": 1, "rows": 64, "cols": 64, "shorter_side": 72, "scale": 16.0}
        | {"mean": [0.5], "std": [0.2]}
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fine-tune", "run"], "fine-tune: received --weights with it; expected none"),
        (["--model", "lenet_5"], "weights: "),
        ([], "Name it with --model"),
    ],
)
def test_contradictions_are_refused_in_a_line(options, words, capfd):
    small_weights.write()
    assert train("--out", "run", *options) == 2
    error = capfd.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not Path("run").exists()


def test_a_plan_says_what_is_loaded():
    small_weights.write()
    text = plan_run(request_for("digits"), create_model).to_text()
    assert "weights        weights of small.safetensors" in text
