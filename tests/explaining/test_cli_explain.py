"""The command ``explain``."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finished import write_run
from keras_convnets import cli, explain
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.run.saved_run import open_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    write_run(folder, load_data("digits", image_size=16, validation_split=0.2, seed=3))
    return str(folder)


@pytest.fixture(autouse=True)
def images():
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 17, (16, 16), np.uint8)).save(f"{name}.png")


def outcome(capfd, *arguments):
    code = cli.main(arguments)
    return code, *capfd.readouterr()


def test_explain_draws_and_prints_what_explain_returns(run, capfd):
    arguments = ("explain", run, "a.png", "b.png", "out.png", "--format", "json")
    code, out, err = outcome(capfd, *arguments)
    assert (code, err) == (0, "")
    found, wanted = json.loads(out), explain(open_run(run), ["a.png", "b.png"])
    assert [image["class"] for image in found["images"]] == list(wanted.names)
    assert [image["peak"] for image in found["images"]] == wanted.peaks.tolist()
    assert found["layer"] == wanted.layer
    with Image.open("out.png") as drawn:
        assert drawn.format == "PNG"


def test_explain_takes_a_saved_model_a_class_a_layer_and_the_options_of_a_method(run, capfd):
    model = f"{run}/model.keras"
    arguments = ("a.png", "page.html", "--class", "3", "--method", "score_cam", "--channels", "2")
    how = ("--layer", "conv1", "--preprocessing", "0-1")
    code, out, err = outcome(capfd, "explain", model, *arguments, *how)
    assert code == 0, err
    assert out.splitlines()[2].split()[:2] == ["a.png", "3"]
    assert out.splitlines()[-1] == "page.html"
    assert "keras-convnets: note: score_cam: 2 of " in err
    assert "Score-CAM" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a.png"], "images: received 'a.png' alone; expected images, then the file to write"),
        (["a.png", "b.gif"], "figure: received 'b.gif' last; expected a file to write, which"),
        ([], "images: received none; expected images, then the file to write"),
        (["a.png", "no/out.png"], "no/out.png"),
        (["a.png", "out.png", "--class", "cat"], "class_index: received 'cat'; expected a label"),
        (["a.png", "out.png", "--layer", "conv9"], "layer: received 'conv9'; expected one of"),
        (["none.png", "out.png"], "none.png: no such file"),
        (["a.png", "out.png", "--steps", "9"], "steps: received it with method='grad_cam'"),
        (["a.png"] * 25 + ["out.png"], "images: received 25 for one figure; expected at most 24"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(run, arguments, line, capfd):
    before = {path.name for path in Path().iterdir()}
    code, out, err = outcome(capfd, "explain", run, *arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert len(err.splitlines()) == 1
    assert {path.name for path in Path().iterdir()} == before


def test_the_methods_and_formats_of_the_command_are_those_of_the_package():
    from keras_convnets.analysis.drawing import FORMATS
    from keras_convnets.cli import explain as command
    from keras_convnets.explaining.figure.plotting import MOST
    from keras_convnets.explaining.maps.methods import METHODS

    assert tuple(METHODS) == command._METHODS
    assert (*FORMATS, ".html") == command._SUFFIXES
    assert MOST == command._MOST
