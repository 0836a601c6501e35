"""The study of degradation, but for its training: what it runs, and what it says of the numbers."""

import doctest
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import cli
from keras_convnets.cli import commands
from keras_convnets.training import run_folder
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_config import (
    DataFacts,
    ModelFacts,
    PreprocessingFacts,
    RunConfig,
)

ROOT = Path(__file__).parents[1]
EPOCHS = 4


@pytest.fixture
def study():
    spec = importlib.util.spec_from_file_location("degradation", ROOT / "scripts/degradation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def runs(monkeypatch, study):
    """Take the place of training, and of drawing; return the options of all runs asked for."""
    asked = []

    def train(arguments):
        chosen = vars(commands._parser().parse_args(arguments))  # the real command's options
        asked.append(chosen)
        out = chosen["out"]
        out.mkdir(parents=True, exist_ok=True)
        write_run(out, chosen)
        (out / run_folder.START).unlink(missing_ok=True)
        return 0

    monkeypatch.setattr(cli, "main", train)
    monkeypatch.setattr("keras.backend.clear_session", lambda: None)  # nothing to clear, but slow
    monkeypatch.setattr(study, "draw", lambda curves, to_file: to_file.write_text("drawn"))
    return asked


def write_run(folder, chosen):
    model = ModelFacts("plain", (1, 8, 8), 2, "channels_last", 100, 10)
    data = DataFacts("digits", 1437, 360, 360, ("0", "1"), (), "none", None)
    images = PreprocessingFacts(1, 8, 8, 16.0, (0.0,), (1.0,), "none", None, "bilinear")
    recipe = Recipe("here", batch_size=64, learning_rate=0.01, epochs=EPOCHS)
    config_file.write(folder, RunConfig(model, data, images, recipe, Settings(), {}))
    final = {"cifar_plain_56": 0.5, "cifar_plain_20": 0.9}.get(chosen["model"], 1.0)
    accuracy = np.linspace(0.1, final, EPOCHS) - 0.01 * chosen["seed"]
    run_folder.write_history(folder, {"accuracy": accuracy, "val_accuracy": accuracy - 0.05})


def test_all_are_trained_alike_and_what_is_seen_is_written(study, runs, capsys):
    assert study.main(["--out", "study"]) == 0
    assert [(run["model"], run["seed"]) for run in runs] == [
        (model, seed)
        for seed in (0, 1, 2)
        for model in ("cifar_plain_20", "cifar_plain_56", "cifar_resnet_20", "cifar_resnet_56")
    ]
    own = {"model", "seed", "out", "arguments"}
    alike = [{key: run[key] for key in run.keys() - own} for run in runs]
    assert all(one == alike[0] for one in alike)
    assert alike[0]["recipe"] == "resnet-cifar"
    results = Path("study/results.md").read_text()
    # 22 steps an epoch, and 4 epochs here
    assert "88 steps of 64 images (4 epochs), learning rate 0.01; 3 seeds." in results
    assert (
        "- plain-56 trains **worse than** plain-20: its training error after the last epoch is "
        "40.0 ± 0.0 points higher (higher in 3, lower in 0 of 3 seeds), its test error 40.0 ± 0.0 "
    ) in results
    assert (
        "- resnet-56 trains **neither clearly worse nor clearly better than** resnet-20: its "
        "training error after the last epoch is the same in all seeds, its test error the same"
    ) in results
    assert "| plain-20 | 11.0 ± 1.0 | 11.0 ± 1.0 | 16.0 ± 1.0 | 16.0 ± 1.0 |" in results
    assert "| plain-56 − plain-20 | 40.0 ± 0.0 |" in results
    assert results in capsys.readouterr().out
    curves = Path("study/curves.csv").read_text().splitlines()
    assert curves[0] == "network,seed,epoch,training_error,test_error"
    assert len(curves) == 1 + 4 * 3 * EPOCHS
    assert "cifar_plain_56,2,4,0.52,0.57" in curves


def test_a_study_goes_on_where_it_was_stopped(study, runs):
    study.main(["--out", "study", "--seeds", "1"])
    Path("study/cifar_resnet_20-seed-0", run_folder.START).touch()  # as of an unfinished run
    runs.clear()
    study.main(["--out", "study", "--seeds", "2"])
    assert [(run["model"], run["seed"]) for run in runs[:2]] == [
        ("cifar_resnet_20", 0),
        ("cifar_plain_20", 1),
    ]
    assert len(runs) == 5
    assert all(run["continues"] for run in runs)


def test_other_options_are_refused_where_runs_were_begun(study, runs, capsys):
    study.main(["--out", "study", "--seeds", "1"])
    with pytest.raises(SystemExit, match="2"):
        study.main(["--out", "study", "--seeds", "1", "--epochs", "7"])
    assert "--epochs 7', but the runs in 'study' have '--data digits" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        study.main(["--out", "other", "--seeds", "0"])


def test_the_study_stops_with_a_run_that_has_to(study, monkeypatch):
    monkeypatch.setattr(cli, "main", lambda arguments: 130)
    assert study.main(["--out", "study"]) == 130
    assert not Path("study/results.md").exists()


def test_cifar_is_trained_as_in_the_paper(study, runs):
    study.main(["--data", "cifar10", "--data-dir", "files", "--seeds", "1"])
    assert runs[0]["recipe"] == "resnet-cifar"
    assert {str(runs[0][name]) for name in ("data", "data_dir")} == {"cifar10", "files"}
    assert not runs[0].keys() & {"epochs", "steps", "batch_size", "learning_rate", "augmentation"}
    assert RECIPES["resnet-cifar"].steps == 64_000
    assert Path("runs/degradation-cifar10/results.md").exists()


@pytest.mark.parametrize(
    ("plain", "residual", "said"),
    [
        ((0.1, 0.2), (0.0, 0.0), ("worse than", "neither clearly worse nor clearly better than")),
        ((0.2, 0.1), (0.1, 0.3), ("better than", "worse than")),
    ],
)
def test_what_is_said_follows_the_numbers(study, plain, residual, said):
    curves = {
        network: {error: np.full((3, 2), value) for error in study.ERRORS}
        for network, value in zip(study.names(), (*plain, *residual), strict=True)
    }
    assert re.findall(r"\*\*(.*)\*\*", study.tell(curves)) == list(said)


def test_a_difference_within_the_deviation_is_no_verdict(study):
    assert study.verdict(np.array([0.01, 0.30, 0.01])).startswith("neither")
    assert study.verdict(np.array([0.30, 0.30, -0.01])).startswith("neither")


def test_fewer_than_three_seeds_are_no_verdict(study, runs):
    study.main(["--out", "study", "--seeds", "2"])
    assert "- plain-56 against plain-20: its training" in Path("study/results.md").read_text()


@pytest.mark.parametrize(
    ("data", "figure"),
    [("digits", "degradation.svg"), ("fashion_mnist", "degradation_fashion_mnist.svg")],
)
def test_the_page_is_written_anew_between_the_marks_of_its_data(
    study, runs, monkeypatch, tmp_path, data, figure
):
    monkeypatch.setattr(study, "DOCS", tmp_path)
    (tmp_path / "images").mkdir()
    page = tmp_path / "degradation.md"
    parts = ["digits", "fashion_mnist"]

    def text(results):
        places = [f"{study.START.format(part)}\n{results[part]}{study.END}\n" for part in parts]
        return f"above\n{places[0]}between\n{places[1]}below\n"

    old = dict.fromkeys(parts, "old\n")
    page.write_text(text(old))
    study.main(["--data", data, "--out", "study", "--docs"])
    assert page.read_text() == text(old | {data: Path("study/results.md").read_text()})
    assert [file.name for file in (tmp_path / "images").iterdir()] == [figure]
    assert (tmp_path / "images" / figure).read_text() == "drawn"


def test_data_without_a_place_on_the_page_train_nothing(study, runs, capsys):
    with pytest.raises(SystemExit):
        study.main(["--data", "cifar10", "--docs"])
    assert "expected one of ['digits', 'fashion_mnist']" in capsys.readouterr().err
    assert runs == []


def test_the_figure_is_the_same_each_time(study):
    curves = {
        network: {error: np.linspace((0.9, 0.8), (0.2, 0.1), 5).T for error in study.ERRORS}
        for network in study.names()
    }
    for name in ("one.svg", "other.svg", "one.png"):
        study.draw(curves, Path(name))
    assert Path("one.svg").read_bytes() == Path("other.svg").read_bytes()
    assert Path("one.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_has_the_marks(study):
    page = (ROOT / "docs/degradation.md").read_text()
    for data in ("digits", "fashion_mnist"):
        assert page.count(study.START.format(data)) == 1
        assert f"images/{study.figure_of_docs(data)}" in page
    assert page.count(study.END) == 2


def test_the_examples_of_the_script_are_right(study):
    assert doctest.testmod(study).failed == 0
