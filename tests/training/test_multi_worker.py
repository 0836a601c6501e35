"""Real processes on this machine, held to what one process with one device makes of the data."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import replica
from keras_convnets.errors import PeerLost
from keras_convnets.training.distribute.multi_worker import (
    check_alike,
    explained,
    patched_fit,
)

LIMIT = 240  # seconds for whatever is waited for


@pytest.fixture(scope="module")
def alone():
    return replica.trained(None)


@pytest.fixture
def processes():
    """Start processes that train; all that are left are killed in the end."""
    started = []

    def start(out, **options):
        with Path(f"{out}.log").open("w") as log:
            text = json.dumps({"out": f"{out}.npz", **options})
            command = [sys.executable, replica.__file__, text]
            started.append(subprocess.Popen(command, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def result(name, process):
    assert process.wait(LIMIT) == 0, Path(f"{name}.log").read_text()
    with np.load(f"{name}.npz") as stored:
        weights = [stored[key] for key in sorted(stored.files) if key != "report"]
        return json.loads(str(stored["report"])), weights


def check_same(found, alone):
    (report, weights), (history, expected) = found, alone
    assert history["loss"][1] < 0.8 * history["loss"][0]  # it learns something
    for name, values in history.items():
        assert report["history"][name] == pytest.approx(values, rel=1e-5), name
    assert difference(weights, expected) < 1e-5


def difference(some, others):
    return max(np.abs(a - b).max() for a, b in zip(some, others, strict=True))


@pytest.mark.slow
def test_two_devices_learn_what_one_does(processes, alone, monkeypatch):
    cluster = {"worker": replica.addresses(2).split(",")}  # which the choice of a name overrides
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    report, weights = result("two", processes("two", devices=2, name="mirrored"))
    assert (report["replicas"], report["is_chief"]) == (2, True)
    check_same((report, weights), alone)
    print(f"two devices and one: weights {difference(weights, alone[1]):.1e} apart")


@pytest.mark.slow
def test_two_machines_learn_what_one_does(processes, alone):
    workers = replica.addresses(2)
    started = [processes(f"w{i}", workers=workers, index=i) for i in (0, 1)]
    found = [result(f"w{i}", process) for i, process in enumerate(started)]
    for index, (report, weights) in enumerate(found):
        assert (report["replicas"], report["is_chief"]) == (2, index == 0)
        check_same((report, weights), alone)
        assert report["asked"] == [True, False]
        assert "recipe: worker 1 has another than the chief" in report["refusal"]
    assert found[0][0]["history"] == found[1][0]["history"]
    assert difference(found[0][1], found[1][1]) == 0
    print(f"two machines and one: weights {difference(found[0][1], alone[1]):.1e} apart")


@pytest.mark.slow
def test_who_has_lost_another_machine_says_so_and_ends(processes):
    workers = replica.addresses(2)
    started = [processes(f"w{i}", workers=workers, index=i, epochs=999, nap=0.1) for i in (0, 1)]
    logs = [Path(f"w{i}.log") for i in (0, 1)]
    deadline = time.monotonic() + LIMIT
    while not all("step 3" in log.read_text() for log in logs):
        assert time.monotonic() < deadline
        assert [process.poll() for process in started] == [None, None], logs[0].read_text()
        time.sleep(0.1)
    started[1].terminate()  # TensorFlow would swallow it
    assert started[1].wait(LIMIT) == -signal.SIGTERM
    assert started[0].wait(LIMIT) == PeerLost.exit_code
    last = logs[0].read_text().splitlines()[-1]
    assert last.startswith("lost: lost another machine of the run (")
    assert last.endswith("start all that have ended again, with --continue.")


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        (
            tf.errors.UnavailableError,
            "Graph execution error:\n\n...\nCollective ops is aborted by: Socket closed\n",
            "Socket closed",
        ),
        (
            tf.errors.UnavailableError,
            "Collective ops is aborted by: Failed to send RPC to coordination service. Either the",
            "Failed to send RPC to coordination service",
        ),
        (
            tf.errors.DeadlineExceededError,
            "Deadline Exceeded\n /tensorflow.CoordinationService/RegisterTask:\n",
            "Deadline Exceeded",
        ),
    ],
)
def test_errors_of_lost_machines(kind, message, reason):
    found = explained(kind(None, None, message))
    assert isinstance(found, PeerLost)
    assert str(found).startswith(f"lost another machine of the run ({reason}). ")


def test_other_errors_stay():
    error = tf.errors.UnavailableError(None, None, "gs://bucket/file: Socket closed")
    assert explained(error) is error
    with pytest.raises(tf.errors.InvalidArgumentError), patched_fit(None):
        tf.reshape(tf.zeros(2), [3])


@pytest.mark.slow
def test_the_strategy_is_mended_within_the_block_only():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    stock = strategy.reduce
    with patched_fit(strategy):
        mended = strategy.reduce
        assert mended != stock
        with patched_fit(strategy):
            assert strategy.reduce == mended
        assert strategy.reduce == mended
        assert float(strategy.reduce("MEAN", tf.constant(3.0), axis=0)) == 3
        assert float(strategy.reduce("MEAN", tf.constant([3.0, 5.0]), axis=0)) == 4
        images, labels = strategy.reduce("MEAN", (tf.zeros((2, 3)), tf.zeros(2)), axis=None)
        assert (images.shape, labels.shape) == ((2, 3), (2,))
    assert strategy.reduce == stock


def test_one_machine_is_like_itself():
    check_alike(None, step=1)
    check_alike(tf.distribute.get_strategy(), step=1)
