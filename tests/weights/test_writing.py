"""What is written is read again, bit for bit, and a file is written whole or not at all."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from keras_convnets.weights.formats import writing
from keras_convnets.weights.formats.formats import read

ARRAYS = {
    "conv1.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2).transpose(3, 2, 0, 1),
    "fc.bias": np.array([-0.0, np.inf, np.nan], np.float16),
    "bn.num_batches_tracked": np.array(3, np.int64),
    "bn.big_endian": np.arange(3, dtype=">f8"),
    "none": np.zeros((0, 2), np.float32),
}


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".SAFETENSORS"])
def test_arrays_come_back_bit_for_bit(tmp_path, suffix):
    writing.write(tmp_path / f"weights{suffix}", ARRAYS, {"format": "pt"})
    found = read(tmp_path / f"weights{suffix}").arrays
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        native = array.astype(array.dtype.newbyteorder("="))
        assert (found[name].dtype, found[name].shape) == (native.dtype, native.shape)
        assert found[name].tobytes() == native.tobytes()


def test_the_library_of_safetensors_reads_them(tmp_path):
    writing.write(tmp_path / "weights.safetensors", ARRAYS)
    for name, array in load_file(tmp_path / "weights.safetensors").items():
        np.testing.assert_array_equal(array, ARRAYS[name])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("weights.pth", r"PyTorch reads it by safetensors.torch.load_file\(path\)"),
        ("weights.h5", "ends in .safetensors or .npz"),
        ("weights", "ends in .safetensors or .npz"),
        ("none/weights.npz", "No such file"),
    ],
)
def test_other_files_are_refused(tmp_path, name, says):
    with pytest.raises(ValueError, match=says):
        writing.write(tmp_path / name, ARRAYS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_nothing_is_half_written(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"weights{suffix}"
    writing.write(path, ARRAYS)
    before = path.read_bytes()

    def full(*_, **__):
        raise writing.SafetensorError("I/O error: No space left on device (os error 28)")

    def full_too(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "save_file", full)
    monkeypatch.setattr(np, "savez", full_too)
    with pytest.raises(ValueError, match="No space left on device. Make room there"):
        writing.write(path, ARRAYS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_only_numbers_are_written(tmp_path):
    with pytest.raises(ValueError, match="'a' has the type object; expected numbers"):
        writing.write(tmp_path / "a.npz", {"a": np.array([None])})
    with pytest.raises(ValueError, match="cannot write an array called 'file'"):
        writing.write(tmp_path / "a.npz", {"file": np.zeros(1)})
