import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finished import write_images, write_run
from keras_convnets import cli, cost
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.run import config_file


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=16, validation_split=0.2, seed=3)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, write_run(folder, data)


@pytest.fixture
def run(finished):
    return str(finished[0])


def outcome(capfd, *arguments):
    try:
        code = cli.main(arguments)
    except SystemExit as stop:  # argparse's own way out
        code = stop.code
    return code, *capfd.readouterr()


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_evaluate_looks_at_the_runs_own_images(run, finished, data, split, capfd):
    arguments = ["evaluate", run, "--split", split, "--format", "json"]
    code, out, err = outcome(capfd, *arguments)
    assert (code, err) == (0, "")
    found = json.loads(out)
    images = getattr(data, split)
    expected = evaluate(finished[1], images, data.preprocessing)
    assert found["images"] == len(images)
    assert (found["data"], found["split"], found["model"]) == ("digits", split, "resnet")
    assert found["loss"] == pytest.approx(expected.loss, abs=1e-5)
    assert found["accuracy"] == expected.accuracy
    assert found["top5"] == expected.top5
    assert found["confusion"] == expected.confusion.tolist()
    assert [row["class"] for row in found["classes"]] == list("0123456789")
    assert found["classes"][1]["accuracy"] == expected.class_accuracy[1]


def test_evaluate_prints_tables(run, capfd, monkeypatch):
    code, out, _ = outcome(capfd, "evaluate", run, "--batch-size", "100")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split()[1:7] == ["images", "correct", "precision", "recall", "F1", "AUC"]
    assert [line.split()[0] for line in lines[2:12]] == list("0123456789")
    assert lines[13].split()[:3] == ["macro", "mean", "360"]
    assert lines[15].startswith("resnet on the 360 test images of digits: loss ")
    assert "top-5" in "".join(lines[15:])
    monkeypatch.setattr(cli.evaluate, "console_width", lambda: 50)
    _, out, _ = outcome(capfd, "evaluate", run)
    assert max(map(len, out.splitlines())) <= 50
    assert out.splitlines()[0].split() == ["class", "precision", "recall", "F1", "AUC"]
    _, out, _ = outcome(capfd, "evaluate", run, "--format", "csv")
    rows = list(csv.DictReader(line for line in out.splitlines() if not line.startswith("#")))
    assert sum(int(row["images"]) for row in rows) == 360
    _, out, _ = outcome(capfd, "evaluate", run, "--format", "md")
    assert out.startswith("| class | images |")


def test_other_data_of_the_same_classes_are_prepared_as_the_runs(tmp_path, capfd):
    write_images(tmp_path / "pets")
    write_images(tmp_path / "others", count=4)
    pets = load_data(f"folder:{tmp_path / 'pets'}", image_size=16)
    model = write_run(Path("run"), pets)
    name = f"folder:{tmp_path / 'others'}"
    code, out, err = outcome(capfd, "evaluate", "run", "--data", name, "--format", "json")
    assert (code, err) == (0, "")
    others = load_data(name, image_size=16)
    assert others.preprocessing != pets.preprocessing
    train, test = (
        evaluate(model, images, pets.preprocessing).loss for images in (others.train, others.test)
    )
    found = json.loads(out)
    assert (found["images"], found["split"]) == (12, "all")  # nothing is held out
    expected = (len(others.train) * train + len(others.test) * test) / 12
    assert found["loss"] == pytest.approx(expected, abs=1e-5)
    named = ("--data", name, "--split", "test", "--format", "json")
    found = json.loads(outcome(capfd, "evaluate", "run", *named)[1])
    assert found["images"] == len(others.test)
    assert found["loss"] == pytest.approx(test, abs=1e-5)
    shutil.move("run", "moved")  # neither the folder of the run nor the working one matters
    assert outcome(capfd, "evaluate", "moved")[0] == 0


def test_data_of_another_range_are_told(run, capfd):
    write_images(Path("bright"), tuple("0123456789"), count=4)
    code, out, err = outcome(capfd, "evaluate", run, "--data", "folder:bright")
    assert code == 0
    assert "resnet on all 40 images of bright" in out
    assert re.match(
        r"keras-convnets: note: the pixels of bright, 0 to 255, are multiplied by 0.06275: ", err
    )
    assert err.count("\n") == 1


def test_predict_names_the_classes(run, finished, data, capfd):
    for number in range(2):
        Image.fromarray(data.test.array[number, ..., 0]).save(f"{number}.png")
    expected = evaluate(finished[1], data.test.subset(np.arange(2)), data.preprocessing)
    code, out, err = outcome(capfd, "predict", run, "0.png", "1.png", "--format", "json")
    assert (code, err) == (0, "")
    images = json.loads(out)["images"]
    assert [image["image"] for image in images] == ["0.png", "1.png"]
    for image, row in zip(images, expected.probabilities, strict=True):
        assert [best["label"] for best in image["top"]] == np.argsort(-row)[:5].tolist()
        assert image["top"][0]["class"] == str(row.argmax())
        assert image["top"][0]["probability"] == pytest.approx(float(row.max()), abs=1e-6)
    code, out, err = outcome(capfd, "predict", run, "0.png", "--top", "2")
    lines = out.splitlines()
    best = expected.probabilities[0].argmax()
    assert lines[2].split() == ["0.png", str(best), f"{expected.probabilities[0][best]:.2%}"]
    assert len(lines) == 4


def test_images_that_cannot_be_read_are_told_after_the_others(run, data, capfd):
    Image.fromarray(data.test.array[0, ..., 0]).save("good.png")
    Path("bad.png").write_text("no image")
    code, out, err = outcome(capfd, "predict", run, "none.png", "good.png", "bad.png")
    assert code == 2
    assert "good.png" in out
    assert [line.split(":")[:3] for line in err.splitlines()] == [
        ["keras-convnets", " error", " none.png"],
        ["keras-convnets", " error", " bad.png"],
    ]
    assert outcome(capfd, "predict", run, "none.png")[:2] == (2, "")


def test_pixels_of_another_range_are_told(run, data, capfd):
    Image.fromarray(data.test.array[0, ..., 0] * 15).save("bright.png")
    code, _, err = outcome(capfd, "predict", run, "bright.png")
    assert code == 0
    assert err.startswith("keras-convnets: note: bright.png: its pixels go up to 240")
    assert err.count("\n") == 1


def begun_in_python(folder):
    config = config_file.read(folder)
    data = dataclasses.replace(config.data, arguments=None)
    config_file.write(folder, dataclasses.replace(config, data=data))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("evaluate none", "run: received 'none', which does not exist"),
        ("evaluate empty", "there is no 'empty/config.json'"),
        ("predict none x.png", "run: received 'none', which does not exist"),
        ("evaluate run --data digit", "Did you mean 'digits'?"),
        ("evaluate run --data folder:pets", "pets has 3 classes; expected 10, as resnet in 'run'"),
        ("evaluate run --data folder:ten", "ten has the classes 'cat' for '0', 'dog' for '1'"),
        ("evaluate run --data folder:ten", "and 5 more; expected those of the run in 'run'"),
        ("evaluate run --batch-size 0", "batch_size: received 0"),
        ("evaluate run --split all", "invalid choice: 'all'"),
        ("evaluate run --format xml", "invalid choice: 'xml'"),
        ("evaluate own", "begun in Python with data of its own; expected the name of some"),
        ("evaluate", "evaluate: received no model; expected the folder of a finished run"),
        ("predict run", "images: received none; expected the files of some"),
        ("predict run x.png --top 0", "top: received 0"),
        ("predict run x.png --format csv", "invalid choice: 'csv'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, words, finished, capfd):
    shutil.copytree(finished[0], "run")
    shutil.copytree(finished[0], "own")
    begun_in_python(Path("own"))
    Path("empty").mkdir()
    write_images(Path("pets"), count=4)
    write_images(Path("ten"), ("cat", "dog", "e", "f", "g", "h", "i", "k", "l", "owl"), count=4)
    code, out, err = outcome(capfd, *arguments.split())
    assert (code, out) == (2, "")
    assert err.startswith("keras-convnets: error: ")
    assert err.count("\n") == 1
    assert words in err


def test_the_commands_that_inspect_models_open_a_run(run, finished, capfd):
    model = finished[1]
    code, out, _ = outcome(capfd, "summary", run, "--detail", "stage", "--format", "json")
    assert (code, json.loads(out)["total"]["params"]) == (0, cost(model).params)
    code, out, _ = outcome(
        capfd, "compare", run, "lenet_5", "--plot", "both.svg", "--format", "csv"
    )
    assert (code, Path("both.svg").exists()) == (0, True)
    code, _, err = outcome(capfd, "cost", run, "--num-outputs", "3")
    assert code == 2
    assert "received the run" in err
