import json
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf

from keras_convnets.errors import RunStopped
from keras_convnets.training.distribute.strategies import check_step, choose_strategy, is_chief
from replica import addresses


@pytest.fixture(autouse=True)
def _no_cluster_around(monkeypatch):
    # Set first, so that what a test's choice leaves there is taken away again.
    monkeypatch.setenv("TF_CONFIG", "")
    monkeypatch.delenv("TF_CONFIG")


@pytest.mark.skipif(len(tf.config.list_physical_devices("GPU")) > 1, reason="there are several")
def test_one_device(monkeypatch):
    assert choose_strategy() is None
    assert choose_strategy("one") is None
    monkeypatch.setenv("TF_CONFIG", "")  # TensorFlow itself would take it for broken JSON
    with pytest.raises(ValueError, match="'mirrored', but TensorFlow sees one device, /device:.PU"):
        choose_strategy("mirrored")


def test_who_writes():
    assert is_chief(None)
    assert is_chief(tf.distribute.get_strategy())
    assert is_chief(tf.distribute.MirroredStrategy(["CPU:0"]))


def test_machines_are_refused_before_anything_starts():
    with pytest.raises(ValueError, match="index: received the index 2; expected 0 to 1"):
        choose_strategy("multi-worker", addresses(2), 2)


def test_a_machine_that_does_not_come():
    lines = []
    with pytest.raises(RunStopped, match="waited 2 s for worker 1 .127.0.0.1:"):
        choose_strategy("auto", addresses(2), 0, wait=2, tell=lines.append)
    assert lines[0].startswith("waiting for worker 1 (127.0.0.1:")


def test_machines_are_chosen_too_late():
    tf.config.list_logical_devices()  # TensorFlow has started
    with pytest.raises(ValueError, match="Choose the strategy before you build or compute"):
        choose_strategy("auto", addresses(1), 0)


@pytest.mark.parametrize(
    ("dtype", "options", "words"),
    [
        ("float32", {"jit": True}, "jit: received True with 2 devices"),
        ("float32", {"steps_per_execution": 5}, "steps_per_execution: received 5 with 2 devices"),
        ("mixed_float16", {}, "precision: received 'mixed_float16' with 2 devices"),
        ("mixed_bfloat16", {}, None),
    ],
)
def test_what_several_devices_cannot_do(dtype, options, words):
    layer = keras.layers.Dense(3, dtype=dtype)
    model = keras.Sequential([keras.Input((2,)), layer])
    check_step(model, jit=True, steps_per_execution=5)  # one device can
    model._distribute_strategy = SimpleNamespace(num_replicas_in_sync=2)
    if words is None:
        check_step(model, **options)
    else:
        with pytest.raises(ValueError, match=f"^{words}; expected a run on one"):
            check_step(model, **options)


@pytest.mark.slow
def test_one_machine_of_a_cluster_is_its_chief(monkeypatch):
    cluster = {"cluster": {"chief": [addresses(1)]}, "task": {"type": "chief", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    code = (
        "from keras_convnets.training.distribute.strategies import "
        "choose_strategy, is_chief, is_multi_worker; "
        "strategy = choose_strategy(); print(is_multi_worker(strategy), is_chief(strategy))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True
    )
    assert result.stdout == "True True\n"
