"""What does not fit into memory is refused, or explained when it is exhausted."""

import os
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from helpers import refusal
from keras_convnets import create_model, memory
from keras_convnets.errors import OutOfMemoryError, RunStopped
from keras_convnets.training import RECIPES, RunRequest, evaluate, launch, load_data, train
from keras_convnets.training.run import checkpoint, results
from keras_convnets.training.run.step_callback import StepCallback

GB = 10**9
OOM = tf.errors.ResourceExhaustedError(
    None,
    None,
    "Graph execution error:\n\nOOM when allocating tensor with shape[256,64,112] and type float "
    "on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n\t [[{{node conv}}]]",
)


def system(root, files):
    for name, text in {
        "proc/meminfo": "MemTotal: 9000 kB\nMemAvailable: 8000000 kB\nSwapFree: 1000000 kB\n",
        "proc/self/statm": "1000 100 50 1 0 500 0",
        **files,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return memory.available(root)


def test_the_memory_that_is_left(tmp_path):
    resident = 100 * os.sysconf("SC_PAGE_SIZE")
    assert system(tmp_path / "none", {}) == 9_000_000 * 1024
    two = {"proc/self/cgroup": "0::/job/step\n", "sys/fs/cgroup/job/memory.max": f"{2 * GB}\n"}
    two["sys/fs/cgroup/job/step/memory.max"] = "max\n"
    assert system(tmp_path / "v2", two) == 2 * GB - resident + 1024 * 10**6
    one = {"proc/self/cgroup": "5:cpu:/a\n4:memory:/docker/b\n"}
    one["sys/fs/cgroup/memory/memory.limit_in_bytes"] = str(3 * GB)
    assert system(tmp_path / "v1", one) == 3 * GB - resident + 1024 * 10**6
    with mock.patch("resource.getrlimit", return_value=(GB, GB)):
        assert system(tmp_path / "rlimit", {}) == GB - 1000 * os.sysconf("SC_PAGE_SIZE")
    assert memory.available(tmp_path / "nothing") > 2**60


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (OOM, True),
        (tf.errors.ResourceExhaustedError(None, None, "Out of memory while trying to"), True),
        (tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"), True),
        (tf.errors.AbortedError(None, None, "Status: 1, message: could not create a m"), True),
        (tf.errors.AbortedError(None, None, "Status: 3, message: could not create a m"), False),
        (tf.errors.ResourceExhaustedError(None, None, "a; No space left on device"), False),
        (tf.errors.ResourceExhaustedError(None, None, "a; Too many open files"), False),
        (tf.errors.InternalError(None, None, "cuDNN failed"), False),
        (MemoryError(), True),
        (np.exceptions.AxisError("Out of memory"), False),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("a fault"), False),
    ],
)
def test_which_errors_mean_that_memory_is_exhausted(error, is_one):
    assert memory.is_exhausted(error) == is_one


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--image-size 100000", "an image of 1 x 100000 x 100000 would take at least 40.0 GB"),
        ("--model vgg_16 --image-size 9000", "vgg_16 with a step of 32 images of 1 x 9000 x 9000"),
        ("--model alexnet --image-size 4000 --dry-run", "alexnet with a step of 32 images"),
    ],
)
def test_what_cannot_fit_is_refused_before_it_is_made(options, words, capfd, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2 * GB)
    assert words in refusal(["train", *options.split(), "--out", "runs/one"], capfd)
    assert os.listdir() == []


def test_to_count_weights_before_changes_no_weight(monkeypatch):
    def weights():
        request = RunRequest("lenet_5", out=Path("run"))
        with mock.patch("keras_convnets.training.run.launch.begin") as begin:
            launch(request, create_model, Console(quiet=True))
        return begin.call_args.args[0].get_weights()

    plain = weights()
    monkeypatch.setattr("keras_convnets.training.run.start.can_be_too_large", lambda shape: True)
    for one, other in zip(plain, weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=8)


def model():
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential(layers)


def trained(data):
    recipe = RECIPES["quick"].replace(epochs=1, batch_size=256)
    return train(model(), data, Path("above/run"), recipe, console=Console(quiet=True))


@pytest.mark.parametrize("error", [OOM, MemoryError()])
def test_a_first_step_without_memory_is_refused_and_leaves_nothing(data, error):
    with (
        mock.patch.object(keras.Model, "fit", side_effect=error),
        pytest.raises(OutOfMemoryError, match=r"a step of 256 images of 1 x 8 x 8 .*Use a smaller"),
    ):
        trained(data)
    assert os.listdir() == []


def test_a_later_step_without_memory_stops_the_run(data, monkeypatch):
    stock = StepCallback.on_train_batch_end

    def exhausted(self, batch, logs=None):
        stock(self, batch, logs)
        raise OOM

    monkeypatch.setattr(StepCallback, "on_train_batch_end", exhausted)
    with pytest.raises(RunStopped, match=r"out of memory in a step of 256 .*--resume"):
        trained(data)
    assert checkpoint.read(Path("above/run/checkpoint.npz"))[1].epoch == 0


def test_the_last_evaluation_without_memory_stops_the_run(data, monkeypatch):
    monkeypatch.setattr("keras_convnets.inference.evaluate.answers_of", mock.Mock(side_effect=OOM))
    with pytest.raises(RunStopped, match=r"the evaluation of batches of 256 images .*--resume"):
        trained(data)
    assert checkpoint.read(Path("above/run/checkpoint.npz"))[1].epoch == 1


def test_a_run_is_evaluated_in_batches_of_its_own_size(data, monkeypatch):
    evaluated = mock.Mock(wraps=results.evaluate_prepared)
    monkeypatch.setattr(results, "evaluate_prepared", evaluated)
    trained(data)
    assert evaluated.call_args.args[3] == 256


def test_a_batch_that_is_too_large_to_evaluate(data, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    with pytest.raises(OutOfMemoryError, match=r"360 images of 1 x 8 x 8 would take .*batch_size"):
        evaluate(model(), data.test, data.preprocessing, 10**9)
