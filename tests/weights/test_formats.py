"""Weight files of every format that others write are read as they are in them."""

from pathlib import Path

import numpy as np
import pytest

from keras_convnets.weights.formats.formats import read

DATA = Path(__file__).parent.parent / "data" / "weights"
KINDS = {
    "zip.pth": "torch zip",
    "legacy.pth": "torch legacy",
    "checkpoint_zip.pth": "torch zip",
    "checkpoint_legacy.pth": "torch legacy",
    "weights.safetensors": "safetensors",
    "weights.onnx": "onnx",
    "expected.npz": "npz",
}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_what_its_contents_say(name, tmp_path):
    if name.endswith(".onnx"):
        pytest.importorskip("onnx")
    file = tmp_path / "file.without_suffix"
    file.write_bytes((DATA / name).read_bytes())
    found = read(file)
    assert found.kind == KINDS[name]
    with np.load(DATA / "expected.npz") as expected:
        same(found.arrays, dict(expected))


@pytest.mark.parametrize("name", ["checkpoint_zip.pth", "checkpoint_legacy.pth"])
def test_the_average_in_a_checkpoint_is_taken_and_said(name):
    found = read(DATA / name)
    assert found.prefix == "module._orig_mod."
    assert found.taken == (
        "state_dict_ema; also there: epoch, arch, state_dict, optimizer, args, best_acc1, metric"
    )


def test_a_whole_module_is_refused():
    with pytest.raises(ValueError, match=r"class torch.nn.modules.container.Sequential, not its"):
        read(DATA / "module.pth")


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_files_of_keras(suffix, tmp_path):
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="head_dense")])
    file = tmp_path / f"model{suffix}"
    (model.save_weights if suffix == ".weights.h5" else model.save)(file)
    found = read(file.rename(tmp_path / "model"))
    kinds = {".keras": "keras model", ".weights.h5": "keras weights", ".h5": "keras hdf5"}
    assert found.kind == kinds[suffix]
    kernel, bias = model.get_weights()
    same(found.arrays, {"head_dense/0": kernel, "head_dense/1": bias})


@pytest.mark.parametrize("name", ["zip.pth", "expected.npz"])
def test_a_zip_whose_download_stopped_is_said_to_be_cut(name, tmp_path):
    file = tmp_path / name
    whole = (DATA / name).read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="its end is cut off or damaged"):
        read(file)
