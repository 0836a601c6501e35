"""Runs side by side: found in folders, as a table and as a figure."""

import csv
import dataclasses
import io
import json
import math
import re
import shutil
import statistics
from pathlib import Path

import pytest

from keras_convnets import cli
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_config import OutcomeFacts
from keras_convnets.training.run_lock import holding
from keras_convnets.training.side_by_side.figure import plot_runs
from keras_convnets.training.side_by_side.runs import runs

KEPT = Path(__file__).parents[1] / "data/runs"
QUICK = RECIPES["quick"].replace(epochs=4)
ACCURACIES = [0.5, 0.7, 0.9, 0.8]


def made(folder, recipe=QUICK, seed=0, accuracies=ACCURACIES, finished=True):
    """Write the files of a run that are read, and return its folder."""
    folder.mkdir(parents=True)
    config = config_file.read(KEPT / "format_3")
    outcome = OutcomeFacts(len(accuracies), accuracies[-1] - 0.01 if accuracies else 0.0, "0")
    changed = {"recipe": recipe, "settings": dataclasses.replace(config.settings, seed=seed)}
    changed["outcome"] = outcome if finished else None
    config_file.write(folder, dataclasses.replace(config, **changed))
    (folder / ("model.keras" if finished else "start.keras")).touch()
    lines = ["epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"]
    lines += [
        f"{n},2.0,0.5,{(2 + seed) / n},{share},0.1,3.5" for n, share in enumerate(accuracies, 1)
    ]
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def several():
    """Three seeds of a recipe, one run of another, and what else lies in the folder."""
    for seed in (0, 1, 10):
        made(
            Path(f"runs/quick/seed-{seed}"), seed=seed, accuracies=[0.5, 0.7, 0.9, 0.8 + seed / 50]
        )
    made(Path("runs/other"), QUICK.replace(learning_rate=0.3), accuracies=[0.4, 0.6, 0.95, 0.94])
    Path("runs/notes/deep/deeper/deepest/none").mkdir(parents=True)
    Path("runs/readme.txt").touch()
    return Path("runs")


def test_a_table_of_all_runs_in_a_folder_with_means_over_seeds(several):
    found = runs(several)
    assert [str(run.folder) for run in found.runs] == [
        *("runs/other", "runs/quick/seed-0", "runs/quick/seed-1", "runs/quick/seed-10"),
    ]
    run = found.runs[0]
    assert (run.network, run.data, run.seed, run.state) == ("kept", "digits", 0, "finished")
    assert run.recipe == "quick, learning_rate=0.3, epochs=4"
    assert (run.epochs, run.planned, run.best, run.best_epoch) == (4, 4, 0.95, 3)
    assert (run.last, run.seconds, run.test) == (0.94, 14.0, pytest.approx(0.93))
    tied = runs(made(Path("tied"), accuracies=[math.nan, 0.9, 0.9])).runs[0]
    assert (tied.best, tied.best_epoch) == (0.9, 3)  # of the lower loss, as best.keras is
    last = [0.8, 0.82, 1.0]
    spread = found.groups[1].spread("last")
    assert (spread.n, spread.mean) == (3, pytest.approx(statistics.fmean(last)))
    assert spread.deviation == pytest.approx(statistics.stdev(last))
    text = found.to_text()
    assert re.search(
        r"mean of 3 seeds .* 93\.33% ± 5\.77 +87\.33% ± 11\.02 +86\.33% ± 11\.02", text
    )
    assert "± standard deviation" in text.splitlines()[-1]
    only = runs(several, means=True)
    assert [line.split()[0] for line in only.to_text().splitlines()[2:4]] == ["runs/other", "mean"]
    assert "mean of 3 seeds" in only.to_markdown()


def test_numbers_for_programs(several, capsys):
    assert cli.main(["runs", "runs", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["group"] for run in found["runs"]] == [0, 1, 1, 1]
    assert found["groups"][1]["seeds"] == [0, 1, 10]
    assert found["groups"][1]["last"]["deviation"] == pytest.approx(0.1102, abs=1e-4)
    assert found["runs"][0]["call"].startswith("train(model, load_data('digits', image_size=8)")
    assert cli.main(["runs", "--format", "csv"]) == 0  # in the folder "runs"
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["best"]) for row in rows] == [0.95, 0.9, 0.9, 1.0]
    assert cli.main(["runs", "runs/quick", "--means", "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["seeds"], row["test_n"]) == ("0 1 10", "3")


@pytest.mark.parametrize(
    ("order", "first"),
    [("best", "other"), ("last", "other"), ("time", "seed-0"), ("name", "other")],
)
def test_the_best_come_first(several, order, first):
    made(Path("runs/slow"), accuracies=[0.1] * 9, recipe=RECIPES["quick"])
    shutil.rmtree("runs/quick/seed-10")
    with open("runs/other/history.csv", "a") as file:
        file.write("5,1,1,1,0.94,1,1000\n")
    assert Path(runs("runs", order).runs[0].folder).name == first


def test_what_is_no_finished_run_is_listed_with_the_reason():
    made(Path("runs/begun"), accuracies=[0.3], finished=False)
    made(Path("runs/busy"), finished=False)
    made(Path("runs/cut"))
    Path("runs/cut/history.csv").write_text("epoch,val_loss,val_accuracy,seconds\n1,2\n")
    made(Path("runs/edited"))
    text = Path("runs/edited/config.json").read_text()
    Path("runs/edited/config.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    made(Path("runs/lost"))
    Path("runs/lost/model.keras").unlink()
    made(Path("runs/new"), accuracies=[], finished=False)
    Path("runs/new/history.csv").unlink()
    made(Path("runs/short"), accuracies=[0.5, 0.6])
    Path("runs/short/history.csv").write_text("epoch,val_loss,val_accuracy,seconds\n1,2,0.5,1\n")
    with holding(Path("runs/busy")):
        found = runs(["runs"])
    states = {run.folder.name: (run.state, run.reason) for run in found.runs}
    assert states["begun"] == states["new"] == ("unfinished", "train --resume goes on with it")
    assert states["busy"][0] == "running"
    assert "this process" in states["busy"][1]
    assert states["cut"] == (
        "damaged",
        "its history.csv is damaged (a line has another number of values than the first)",
    )
    assert "its values are not those that were written" in states["edited"][1]
    assert states["lost"] == ("damaged", "its model.keras is missing")
    assert states["short"] == ("damaged", "its history.csv has 1 of 2 epochs")
    text = found.to_text()
    assert "1 of 4" in text
    assert "runs/begun, runs/new: unfinished: train --resume goes on with it" in text
    assert found.to_csv().count("\n") == len(states)


@pytest.mark.parametrize("named", ["nowhere", "empty", "file"])
def test_what_is_named_and_no_run_is_refused(named, capsys):
    Path("empty/more/and/more").mkdir(parents=True)
    Path("file").touch()
    assert cli.main(["runs", named]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"keras-convnets: error: runs: received '{named}', which ")
    assert error.count("\n") == 1


def test_arguments_of_other_types(several):
    with pytest.raises(ValueError, match="^folders: received none"):
        runs([])
    with pytest.raises(ValueError, match="^means: received 'yes'"):
        runs(several, means="yes")
    with pytest.raises(ValueError, match="^sort: received 'worst'"):
        runs(several, "worst")


def test_a_run_counts_once_and_a_seed_too():
    made(Path("runs/a/seed-0"))
    made(Path("runs/b"))
    found = runs(["runs/a", "runs", "runs/b/"])
    assert [str(run.folder) for run in found.runs] == ["runs/a/seed-0", "runs/b"]
    assert [len(group.runs) for group in found.groups] == [1, 1]  # of the same seed


def test_a_figure_of_all_with_bands_over_seeds(several):
    plot_runs(several, "curves.svg")
    drawn = Path("curves.svg").read_text()
    assert "prefers-color-scheme: dark" in drawn
    assert drawn.count('id="FillBetweenPolyCollection') == 2  # the three seeds, in both panels
    plot_runs(runs(several), "curves.png")
    assert Path("curves.png").read_bytes().startswith(b"\x89PNG")
    made(Path("new"), accuracies=[], finished=False)
    with pytest.raises(ValueError, match="^runs: received no run that has finished an epoch"):
        plot_runs("new", "none.svg")
    with pytest.raises(ValueError, match=r"^to_file: received 'x.txt'; expected .*\.svg, \.png"):
        plot_runs(several, "x.txt")
    assert not Path("none.svg").exists()


def test_what_repeats_each_run(several, capsys):
    assert cli.main(["runs", "runs/other", "--commands"]) == 0
    folder, call = capsys.readouterr().out.splitlines()
    assert folder == "# runs/other"
    assert "RECIPES['quick'].replace(learning_rate=0.3, epochs=4), Settings(checkpoint" in call
    assert cli.main(["runs", "runs/other", "--commands", "--means"]) == 2
