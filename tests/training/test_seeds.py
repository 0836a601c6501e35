"""``train --seeds``: each run is that of ``train --seed`` alone, and all go on where they were."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import cli
from keras_convnets.training.run.step_callback import StepCallback
from keras_convnets.training.side_by_side import seeds

SMALL = ["train", "--model", "lenet_5", "--image-size", "28", "--batch-size", "400", "--epochs"]
SMALL += ["2", "--deterministic"]
SHORT = [*SMALL, "--epochs", "1"]


@pytest.fixture
def calls(monkeypatch):
    """The commands that are called, each in this process unless ``codes`` has a code for it."""
    made = []

    def child(words):
        made.append([*words])
        code = codes.pop(0) if codes else None
        return (cli.main([*words]) if code is None else code), False

    codes = []
    monkeypatch.setattr(seeds, "run_child", child)
    child.made, child.codes = made, codes
    return child


def same_weights(one, other):
    """Whether two runs ended in the same weights; their checkpoints hold names of their own."""
    with np.load(Path(one) / "checkpoint.npz") as a, np.load(Path(other) / "checkpoint.npz") as b:
        names = set(a.files) - {"position"}
        assert names == set(b.files) - {"position"}
        return all(a[name].tobytes() == b[name].tobytes() for name in names)


@pytest.mark.slow
def test_each_run_is_that_of_the_seed_alone(calls, capfd):
    assert cli.main([*SHORT, "--seeds", "4,1", "--out", "all"]) == 0
    out = capfd.readouterr().out
    assert "seed 4 (1 of 2): all/seed-4" in out
    assert re.search(
        r"mean of 2 seeds +lenet_5 +digits +quick, batch_size=400, epochs=1 .* ± ", out
    )
    assert sorted(path.name for path in Path("all").iterdir()) == [
        *("curves.svg", "seed-1", "seed-4", "seeds.json"),
    ]
    assert cli.main([*SHORT, "--seed", "4", "--out", "alone"]) == 0
    assert same_weights("alone", "all/seed-4")
    assert not same_weights("alone", "all/seed-1")
    assert cli.main(["runs", "all/seed-4", "alone", "--commands"]) == 0
    _, one, _, other = capfd.readouterr().out.splitlines()[-4:]
    assert one == other
    assert one.startswith("keras-convnets train --model lenet_5 --precision float32 ")
    # All are finished: nothing is trained again, and more seeds may be added.
    del calls.made[:]
    calls.codes += [0]
    assert cli.main([*SHORT, "--seeds", "2", "--out", "all", "--continue"]) == 0
    assert [words[words.index("--out") + 1] for words in calls.made] == ["all/seed-0"]
    assert cli.main([*SHORT, "--seeds", "2", "--out", "all", "--continue", "--momentum", "0"]) == 2
    assert "was begun with --momentum 0.9 (received 0.0)" in capfd.readouterr().err


@pytest.mark.slow
def test_killed_in_the_second_run_all_go_on_to_the_same_weights(calls, capfd, monkeypatch):
    calls.codes += [137]
    assert cli.main([*SMALL, "--seeds", "2", "--out", "all"]) == 137
    assert not Path("all").exists()  # none had begun
    before, left = StepCallback.on_train_batch_end, [5]  # of two epochs of three steps

    def interrupting(self, batch, logs=None):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        before(self, batch, logs)

    monkeypatch.setattr(StepCallback, "on_train_batch_end", interrupting)
    calls.codes += [0, None]  # the first is as if it had never begun
    assert cli.main([*SMALL, "--seeds", "3", "--out", "all"]) == 130
    assert "go on with keras-convnets train --resume all" in capfd.readouterr().out
    assert [path.name for path in Path("all").glob("seed-*")] == ["seed-1"]
    del calls.made[:]
    calls.codes += [0, None, 0]
    assert cli.main(["train", "--resume", "all"]) == 0
    assert [words[1] for words in calls.made] == ["--model", "--resume", "--model"]
    assert cli.main([*SMALL, "--seed", "1", "--out", "alone"]) == 0
    assert same_weights("alone", "all/seed-1")


@pytest.mark.parametrize(
    ("codes", "expected", "trained"),
    [([1, 0, 0], 1, 3), ([0, 75, 0], 75, 2), ([2], 2, 1), ([0, -9, 0], 137, 2), ([0, 130], 130, 2)],
)
def test_the_worst_exit_code(calls, codes, expected, trained):
    calls.codes += codes
    assert cli.main([*SMALL, "--seeds", "3", "--out", "all"]) == expected
    assert len(calls.made) == trained


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seeds", "0"], "--seeds: received '0'; expected how many"),
        (["--seeds", "1,1"], "--seeds: received '1,1'"),
        (["--seeds", "-1,2"], "--seeds: "),
        (["--seeds", "9" * 30], "--seeds: received "),
        (["--seeds", "2", "--seed", "1"], "seeds: received --seed with it"),
        (["--seeds", "2", "--workers", "a:1,b:2", "--index", "0"], "seeds: received several mach"),
        (["--resume", "all", "--seeds", "2"], "resume: received --seeds with it"),
        (["--resume", "all"], "run: there is no 'all/config.json'"),
        (["--seeds", "2", "--out", "there"], "out: received 'there', which exists"),
        (["--seeds", "2", "--out", "there", "--continue"], "seeds: there is no 'there/seeds.json'"),
        (["--resume", "cut"], "seeds: cannot read 'cut/seeds.json' (it is not JSON"),
        (["--resume", "own"], "resume: received 'own', whose seeds 0, 1 need code of your own"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(calls, capfd, words, said):
    for folder in ("there", "cut", "own"):
        Path(folder).mkdir()
    Path("cut/seeds.json").write_text("{")
    own = {"seeds": [0, 1], "command": None, "format": 1}
    Path("own/seeds.json").write_text(json.dumps(own))
    assert cli.main(["train", *words]) == 2
    error = capfd.readouterr().err
    assert error.startswith("keras-convnets: error: ")
    assert said in error
    assert error.count("\n") == 1
    assert not calls.made
    assert not list(Path("there").iterdir())


def test_the_plan_has_the_time_of_all(capfd):
    assert cli.main([*SMALL, "--seeds", "3", "--dry-run"]) == 0
    last = capfd.readouterr().out.splitlines()[-1]
    assert re.match(r"seeds +3 runs, one after another: \d+ s, without validation", last)
