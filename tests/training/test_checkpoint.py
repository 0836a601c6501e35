import os
import resource
import signal

import keras
import numpy as np
import pytest

from keras_convnets.errors import RunStopped
from keras_convnets.files import NotWritten
from keras_convnets.training.run import checkpoint
from keras_convnets.training.run.checkpoint import Position

POSITION = Position(3, 7, {"loss": [1.0, 0.5, 0.1]}, 2.5)


def variables(shape=(2, 3)):
    return [
        keras.Variable(np.arange(6.0).reshape(shape), dtype="float32", name="kernel"),
        keras.Variable(np.array([5, 2**32 - 1]), dtype="uint32", name="seed"),
        keras.Variable(41, dtype="int64", name="iterations"),
    ]


def test_everything_comes_back_bit_for_bit(tmp_path):
    file = tmp_path / "checkpoint.npz"
    there = variables()
    there[0].assign(np.float32([[0.1, 1e-30, -0.0], [np.pi, 1e30, 3]]))
    checkpoint.write(file, checkpoint.values_of(there), POSITION)
    arrays, position = checkpoint.read(file)
    assert position == POSITION
    here = variables()
    checkpoint.restore(arrays, here)
    for one, other in zip(here, there, strict=True):
        assert one.numpy().tobytes() == other.numpy().tobytes()
    assert os.listdir(tmp_path) == ["checkpoint.npz"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_do_not_take_the_place_of_good_ones(value, tmp_path):
    file = tmp_path / "checkpoint.npz"
    good = variables()
    checkpoint.write(file, checkpoint.values_of(good), POSITION)
    before = file.read_bytes()
    good[0].assign(np.full((2, 3), value))
    with pytest.raises(RunStopped, match="kernel holds values that are not finite"):
        checkpoint.write(file, checkpoint.values_of(good), Position(4, 0, {}))
    assert file.read_bytes() == before


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    file = tmp_path / "checkpoint.npz"
    small = checkpoint.values_of(variables())
    checkpoint.write(file, small, POSITION)
    before = file.read_bytes()
    large = {"00000 large": np.zeros(100_000)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(
            NotWritten, match=r"cannot write .*checkpoint.npz': File too large. Make"
        ):
            checkpoint.write(file, large, POSITION)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["checkpoint.npz"]


def test_a_checkpoint_of_another_model(tmp_path):
    file = tmp_path / "checkpoint.npz"
    checkpoint.write(file, checkpoint.values_of(variables()), POSITION)
    arrays, _ = checkpoint.read(file)
    other = variables((3, 2))
    with pytest.raises(ValueError, match="not those of this model and optimizer"):
        checkpoint.restore(arrays, other)
    with pytest.raises(ValueError, match="holds 3 values .* which have 2"):
        checkpoint.restore(arrays, variables()[:2])
    assert float(other[0][0][1]) == 1


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no zip", b"text"])
def test_what_is_no_checkpoint(content, tmp_path):
    file = tmp_path / "checkpoint.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"^resume: (there is no|cannot read) "):
        checkpoint.read(file)


def test_a_checkpoint_that_was_cut_off(tmp_path):
    file = tmp_path / "checkpoint.npz"
    checkpoint.write(file, checkpoint.values_of(variables()), POSITION)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match="^resume: cannot read "):
        checkpoint.read(file)


def test_nothing_is_unpickled(tmp_path):
    file = tmp_path / "checkpoint.npz"
    np.savez(file, position=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="^resume: cannot read "):
        checkpoint.read(file)
