"""Several machines by the command: real processes on this one."""

import contextlib
import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_convnets import cli
from keras_convnets.training.run import checkpoint
from replica import addresses

COMMAND = [sys.executable, "-m", "keras_convnets", "train", "--model", "lenet_5"]
OPTIONS = ["--batch-size", "64", "--epochs", "4", "--checkpoint-steps", "5", "--seed", "1"]
LIMIT = 240  # seconds for whatever is waited for

pytestmark = pytest.mark.slow


@pytest.fixture
def machines():
    """Start workers; all that are left are killed in the end."""
    started = []

    def start(workers, index, *options):
        machine = ["--workers", workers, "--index", str(index)]
        with open(f"worker{index}.log", "ab") as log:
            process = subprocess.Popen(
                [*COMMAND, *OPTIONS, *machine, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        for pid in (*children(process.pid), process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def children(pid):
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except FileNotFoundError:
        return []


def finished(*processes):
    for process in processes:
        assert process.wait(timeout=LIMIT) == 0, logs()


def logs():
    return "\n".join(path.read_text(errors="replace") for path in sorted(Path().glob("*.log")))


def wait_for_checkpoint(folder, beyond=None):
    """Wait until a run has got beyond a step, and return where it stands."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if Path(f"{folder}/checkpoint.npz").exists():
            _, position = checkpoint.read(Path(f"{folder}/checkpoint.npz"))
            if beyond is None or (position.epoch, position.step) > beyond:
                return position.epoch, position.step
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint beyond {beyond}\n{logs()}")


def weights(folder):
    return keras.models.load_model(f"{folder}/model.keras", compile=False).get_weights()


def rows(folder):
    with open(f"{folder}/history.csv", newline="") as file:
        return list(csv.DictReader(file))


def difference(one, other):
    return max(np.abs(a - b).max() for a, b in zip(weights(one), weights(other), strict=True))


def test_two_machines_learn_what_one_does_and_survive_kills(machines):
    assert cli.main([*COMMAND[3:], *OPTIONS, "--out", "one"]) == 0
    workers = addresses(2)
    processes = [machines(workers, index, "--out", "two", "--continue") for index in (0, 1)]
    first = wait_for_checkpoint("two", beyond=(0, 0))
    os.kill(children(processes[1].pid)[0], signal.SIGKILL)  # the process that trains
    second = wait_for_checkpoint("two", beyond=(first[0], first[1] + 5))
    processes[1].kill()  # and its parent: nobody starts it again but we
    processes[1].wait()
    processes[1] = machines(workers, 1, "--out", "two", "--continue")
    finished(*processes)
    assert "lost another machine" in logs()
    assert len(rows("two")) == 4
    for one, two in zip(rows("one"), rows("two"), strict=True):
        for column in ("loss", "val_loss", "accuracy", "val_accuracy"):
            assert float(two[column]) == pytest.approx(float(one[column]), rel=1e-4), column
    apart = difference("one", "two")
    print(f"one and two machines, killed at {first} and {second}: {apart:.1e}")
    assert apart < 1e-4
    assert sorted(os.listdir("two")) == sorted(os.listdir("one"))  # the chief alone writes
    assert "worker 1" not in Path("worker0.log").read_text().split("test accuracy")[-1]


def test_a_signal_to_one_machine_ends_the_run_on_all(machines):
    workers = addresses(2)
    options = ("--out", "run", "--epochs", "500")
    processes = [machines(workers, index, *options) for index in (0, 1)]
    wait_for_checkpoint("run", beyond=(0, 0))
    processes[1].send_signal(signal.SIGTERM)
    assert [process.wait(timeout=LIMIT) for process in processes] == [130, 130], logs()
    assert "interrupted after " in Path("worker0.log").read_text()
    assert "lost another machine" not in logs()
    _, position = checkpoint.read(Path("run/checkpoint.npz"))
    assert position.step % 10 == 0  # where all of them decided it


def test_a_worker_that_is_alone_says_whom_it_waits_for(machines):
    process = machines(addresses(2), 1, "--out", "run")
    deadline = time.monotonic() + LIMIT
    while "waiting for" not in logs() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "waiting for chief 0 (127.0.0.1:" in logs()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=LIMIT) != 0
    assert not Path("run").exists()


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        workers = f"127.0.0.1:{taken.getsockname()[1]},127.0.0.1:1234"
        assert "is taken" in refused("--workers", workers, "--index", "0", "--out", "run")


def test_machines_without_a_folder_that_they_share():
    assert "out: expected a folder" in refused("--workers", addresses(2), "--index", "0")


def refused(*options):
    result = subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert os.listdir() == []
    return result.stderr
