"""The weights in files of Keras, by layer and number."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_convnets.readers.damage import DamagedFile
from keras_convnets.readers.hdf5_weights import read_keras

SHAPES = {
    "first.conv/0": (3, 3, 3, 4),
    "first.conv/1": (4,),
    "a_bn/0": (4,),
    "a_bn/1": (4,),
    "a_bn/2": (4,),
    "inner/c/0": (1, 1, 4, 2),
    "inner/c/1": (2,),
    "inner/b/0": (1, 1, 2, 2),
    "inner/b/1": (2,),
    "d/0": (2, 3),
    "d/1": (3,),
}


@pytest.fixture(scope="module")
def model():
    layers = keras.layers
    inner = [layers.Conv2D(2, 1, name="c"), layers.Conv2D(2, 1, name="b")]
    return keras.Sequential(
        [
            keras.Input((3, 3, 3)),
            layers.Conv2D(4, 3, name="first.conv"),
            layers.BatchNormalization(scale=False, name="a_bn"),
            keras.Sequential(inner, name="inner"),
            layers.Dropout(0.5, seed=1),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="d", bias_initializer="ones"),
        ]
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.keras", "keras model"), ("a.weights.h5", "keras weights"), ("a.h5", "keras hdf5")],
)
@pytest.mark.filterwarnings("ignore:You are saving")
def test_each_format(name, kind, model, tmp_path):
    path = tmp_path / "file"
    saved = tmp_path / name
    model.save_weights(saved) if "weights" in name else model.save(saved)
    saved.rename(path)  # what a file is, its contents say
    found, arrays = read_keras(path)
    assert found == kind
    assert {key: array.shape for key, array in arrays.items()} == SHAPES
    dense, normalised = (model.get_layer(layer).get_weights() for layer in ("d", "a_bn"))
    np.testing.assert_array_equal(arrays["d/0"], dense[0])
    np.testing.assert_array_equal(arrays["a_bn/2"], normalised[2])
    if kind != "keras weights":
        assert list(arrays) == list(SHAPES)


def test_a_file_that_has_the_names_in_its_configuration_alone(model, tmp_path):
    model.save(tmp_path / "new.keras")
    with (
        zipfile.ZipFile(tmp_path / "new.keras") as new,
        zipfile.ZipFile(tmp_path / "old.keras", "w") as old,
    ):
        (tmp_path / "w.h5").write_bytes(new.read("model.weights.h5"))
        with h5py.File(tmp_path / "w.h5", "r+") as file:
            file.visititems(lambda _, found: found.attrs.clear())
        old.writestr("config.json", new.read("config.json"))
        old.write(tmp_path / "w.h5", "model.weights.h5")
    assert list(read_keras(tmp_path / "old.keras")[1]) == list(SHAPES)
    nameless = read_keras(tmp_path / "w.h5")[1]
    assert {"batch_normalization/0", "sequential/conv2d_1/0", "dense/1"} < set(nameless)


def test_bfloat16(tmp_path):
    layer = keras.layers.Dense(2, dtype="bfloat16", name="d")
    keras.Sequential([keras.Input((4,)), layer]).save_weights(tmp_path / "a.weights.h5")
    found = read_keras(tmp_path / "a.weights.h5")[1]["d/0"]
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, np.asarray(layer.kernel, "float32"))


def keras_2(path, layers=("a", "b"), weights=("b/kernel:0",), array=None, **attributes):
    """Write a file as Keras 1 and 2 do, in which layer ``a`` has no weights."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array(layers, "S")
        file.create_group("a").attrs["weight_names"] = np.array([])
        layer = file.create_group("b")
        layer.attrs["weight_names"] = np.array(weights, "S")
        layer["b/kernel:0"] = np.ones((2, 3), "f4") if array is None else array
        for name, value in attributes.items():
            layer.attrs[name] = value
    return path


def test_keras_2(tmp_path):
    kind, arrays = read_keras(keras_2(tmp_path / "a.h5"))
    assert (kind, list(arrays), arrays["b/0"].shape) == ("keras hdf5", ["b/0"], (2, 3))
    backwards = keras_2(tmp_path / "b.h5", array=np.arange(3, dtype=">f4"))
    np.testing.assert_array_equal(read_keras(backwards)[1]["b/0"], np.arange(3, dtype="f4"))


def test_names_in_several_parts(tmp_path):
    path = keras_2(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = [np.array([n], "S") for n in "ab"]
    assert list(read_keras(path)[1]) == ["b/0"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ("a", "b", "c")}, "it lists 'c', which it lacks"),
        ({"layers": ("a", "b", "b")}, "it has two arrays for 'b/0'"),
        ({"weights": ("b/bias:0",)}, "it lists 'b/bias:0', which it lacks"),
        ({"weights": ("b",)}, "its 'b/0' is not an array"),
        ({"weight_names": np.arange(3)}, "its weight_names has int where a name should be"),
        ({"array": np.array([b"text"])}, "its 'b/0' has the type |S4; expected numbers"),
        ({"array": np.ones(2, "c8")}, "its 'b/0' has the type complex64; expected numbers"),
        ({"array": np.zeros(2, "f4,i4")}, "; expected numbers"),
        ({"array": np.ones(2, "V2")}, "its 'b/0' has the type |V2; expected numbers"),
    ],
)
def test_what_is_refused(changes, message, tmp_path):
    with pytest.raises(DamagedFile) as refused:
        read_keras(keras_2(tmp_path / "a.h5", **changes))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_lacks_names_or_weights_is_refused(tmp_path):
    path = keras_2(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file["b"].attrs["weight_names"]
    with pytest.raises(DamagedFile, match="its '/b' lacks weight_names"):
        read_keras(path)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["data"] = np.ones(3)
    with pytest.raises(DamagedFile, match="has no weights that Keras would have written"):
        read_keras(tmp_path / "b.h5")
    with zipfile.ZipFile(tmp_path / "c.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [None]}}))
    with pytest.raises(DamagedFile, match="model.weights.h5"):
        read_keras(tmp_path / "c.keras")
