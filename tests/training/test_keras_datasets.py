import dataclasses
import gzip
import hashlib
import io
import os
import pickle
import tarfile

import keras
import numpy as np
import pytest

from keras_convnets.training.data import archives, keras_datasets, packaged
from keras_convnets.training.data.loading import load_data

RANDOM = np.random.default_rng(0)


def labelled(count, shape, classes=10):
    """Return random pixels, and labels of every class in turn."""
    return RANDOM.integers(0, 256, (count, *shape), np.uint8), np.arange(count) % classes


def python_2(value):
    """Pickle as Python 2 did for CIFAR: protocol 2, byte strings, NumPy's modules of the time."""
    pickled = pickle.dumps(value, protocol=2)
    return pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def cifar_batch(pixels, labels, key):
    rows = np.moveaxis(pixels, -1, 1).reshape(len(pixels), -1)
    return python_2({b"data": rows, key: [int(label) for label in labels], b"batch_label": b"x"})


def cifar10():
    """Return the files of a small CIFAR-10, the training images and the test images."""
    train, test = labelled(50, (32, 32, 3)), labelled(20, (32, 32, 3))
    files = {
        f"data_batch_{number + 1}": cifar_batch(
            *(part[number * 10 : number * 10 + 10] for part in train), b"labels"
        )
        for number in range(5)
    }
    files |= {"test_batch": cifar_batch(*test, b"labels"), "batches.meta": python_2({})}
    return files, train, test


def cifar100():
    train, test = labelled(300, (32, 32, 3), 100), labelled(100, (32, 32, 3), 100)
    files = {
        "train": cifar_batch(*train, b"fine_labels"),
        "test": cifar_batch(*test, b"fine_labels"),
        "meta": python_2({}),
    }
    return files, train, test


def write_archive(path, inner, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, contents in files.items():
            member = tarfile.TarInfo(f"{inner}/{name}")
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))


def write_folder(folder, files):
    folder.mkdir(parents=True)
    for name, contents in files.items():
        (folder / name).write_bytes(contents)


def check(data, train, test):
    """Check that data are those written; return them."""
    for images, (pixels, labels) in ((data.train, train), (data.test, test)):
        assert np.array_equal(images.array.reshape(pixels.shape), pixels)
        assert np.array_equal(images.labels, labels)
        assert images.labels.dtype == np.int32
    scaled = train[0].reshape(-1, data.image_shape[0]) / 255
    assert np.allclose(data.preprocessing.mean, scaled.mean(0), atol=1e-6)
    assert np.allclose(data.preprocessing.std, scaled.std(0), atol=1e-6)
    assert data.preprocessing.resize == "none"
    return data


PLACES_10 = {
    "cifar-10-python.tar.gz": write_archive,
    "cifar-10-batches-py.tar.gz": write_archive,  # as older Keras caches it
    "cifar-10-batches-py-target_archive": write_archive,  # as Keras 3.12 to 3.15 do
    "cifar-10-batches-py-target/cifar-10-batches-py": None,
    "cifar-10-batches-py": None,
    "": None,
}


@pytest.mark.parametrize("place", PLACES_10)
def test_cifar10_from_wherever_it_was_put(tmp_path, place):
    files, train, test = cifar10()
    if PLACES_10[place]:
        write_archive(tmp_path / "data" / place, "cifar-10-batches-py", files)
    else:
        write_folder(tmp_path / "data" / place, files)
    before = sorted(tmp_path.rglob("*"))
    data = check(load_data("cifar10", data_dir=tmp_path / "data"), train, test)
    assert sorted(tmp_path.rglob("*")) == before
    assert data.class_names[:3] == ("airplane", "automobile", "bird")
    assert (data.image_shape, data.augmentation) == ((3, 32, 32), "crop-flip")
    assert data.test.describe(17) == "cifar10 test 17"


@pytest.mark.parametrize(
    "place",
    ["cifar-100-python.tar.gz", "cifar-100-python-target_archive", "cifar-100-python", ""],
)
def test_cifar100_has_the_fine_labels(tmp_path, place):
    files, train, test = cifar100()
    if "." in place or "_" in place:
        write_archive(tmp_path / place, "cifar-100-python", files)
    else:
        write_folder(tmp_path / "data" / place, files)
    data_dir = tmp_path if "." in place or "_" in place else tmp_path / "data"
    data = check(load_data("cifar100", data_dir=str(data_dir)), train, test)
    assert len(set(data.class_names)) == 100
    assert list(data.class_names) == sorted(data.class_names)
    assert (data.class_names[0], data.class_names[99]) == ("apple", "worm")


def write_mnist(folder):
    train, test = labelled(30, (28, 28)), labelled(20, (28, 28))
    folder.mkdir(exist_ok=True)
    np.savez(
        folder / "mnist.npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1]
    )
    return train, test


def test_mnist(tmp_path):
    written = write_mnist(tmp_path)
    data = check(load_data("mnist", data_dir=tmp_path), *written)
    assert (data.image_shape, data.augmentation) == ((1, 28, 28), "crop")
    assert data.class_names == tuple("0123456789")
    resized = load_data("mnist", data_dir=tmp_path, image_size=32).preprocessing
    assert (resized.resize, resized.image_shape) == ("stretch", (1, 32, 32))


def idx(array):
    sizes = np.array(array.shape, ">i4").tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())


@pytest.mark.parametrize("place", ["", "fashion-mnist"])
def test_fashion_mnist(tmp_path, place):
    train, test = labelled(30, (28, 28)), labelled(20, (28, 28))
    files = {}
    for part, (pixels, labels) in (("train", train), ("t10k", test)):
        files[f"{part}-images-idx3-ubyte.gz"] = idx(pixels)
        files[f"{part}-labels-idx1-ubyte.gz"] = idx(labels)
    write_folder(tmp_path / "data" / place, files)
    data = check(load_data("fashion_mnist", data_dir=tmp_path / "data"), train, test)
    assert data.class_names[0] == "T-shirt/top"
    assert len(data.class_names) == 10
    (tmp_path / "data" / place / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ValueError, match="lacks t10k-labels-idx1-ubyte.gz, which fashion_mnist"):
        load_data("fashion_mnist", data_dir=tmp_path / "data")


def test_fashion_mnist_is_found_where_the_system_has_installed_it(tmp_path, monkeypatch):
    train, test = labelled(30, (28, 28)), labelled(20, (28, 28))
    arrays = dict(zip(archives.FASHION_MNIST, (*train, *test), strict=True))
    digest = hashlib.sha256(b"".join(array.astype("u1") for array in arrays.values())).hexdigest()
    place = tmp_path / "system"
    package = packaged.Package("dataset-of-a-test", place, digest)
    known = dataclasses.replace(keras_datasets.KNOWN["fashion_mnist"], package=package)
    monkeypatch.setitem(keras_datasets.KNOWN, "fashion_mnist", known)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: (train, test))
    check(load_data("fashion_mnist"), train, test)  # not there: by Keras
    write_folder(place, {name: idx(array) for name, array in arrays.items()})
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", None)
    data = check(load_data("fashion_mnist"), train, test)
    assert data.arguments["data_dir"] is None  # another machine may have them elsewhere
    write_folder(tmp_path / "own", {name: idx(array[:7]) for name, array in arrays.items()})
    assert len(load_data("fashion_mnist", data_dir=tmp_path / "own").train) == 7
    (place / archives.FASHION_MNIST[1]).write_bytes(idx(train[1][::-1]))
    with pytest.raises(ValueError, match="are not those of dataset-of-a-test .*Install") as caught:
        load_data("fashion_mnist")
    assert "\n" not in str(caught.value)


def test_the_fashion_mnist_of_debian_is_the_real_one():
    package = packaged.FASHION_MNIST
    if not package.has(archives.FASHION_MNIST):
        pytest.skip(f"{package.name} is not installed in {package.folder}")
    data = load_data("fashion_mnist")
    assert (len(data.train), len(data.test)) == (60_000, 10_000)
    assert data.preprocessing.mean == pytest.approx((0.2860,), abs=5e-5)  # as published


FILES = {
    "mnist": "Put mnist.npz (from https://storage.googleapis.com/tensorflow/tf-keras-datasets/)",
    "fashion_mnist": "Put train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz and ",
    "cifar10": "Put cifar-10-python.tar.gz (from https://www.cs.toronto.edu/~kriz/)",
    "cifar100": "Put cifar-100-python.tar.gz (from https://www.cs.toronto.edu/~kriz/)",
}


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_where_to_get_it_and_where_to_put_it(tmp_path, name):
    for folder, words in (
        (tmp_path, f"data_dir: {str(tmp_path)!r} lacks "),
        (tmp_path / "no", f"data_dir: received {str(tmp_path / 'no')!r}; expected a folder"),
    ):
        with pytest.raises(ValueError, match="--data-dir") as caught:
            load_data(name, data_dir=folder)
        assert str(caught.value).startswith(words)
        assert FILES[name] in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())  # nothing is downloaded into it


@pytest.mark.parametrize("name", FILES)
def test_without_a_network_the_file_is_named_too(name, monkeypatch, tmp_path):
    def no_network(*_, **__):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(packaged.Package, "has", lambda package, names: False)
    monkeypatch.setattr(keras.src.utils.file_utils, "urlretrieve", no_network)
    monkeypatch.setattr(keras.config, "keras_home", lambda: str(tmp_path), raising=False)
    monkeypatch.setattr(
        keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path), raising=False
    )
    with pytest.raises(
        ValueError, match=f"^data: {name} is not in Keras' cache .*Network is unr"
    ) as caught:
        load_data(name)
    assert FILES[name] in str(caught.value)


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"], indirect=True)
def test_keras_own_cache_is_used_in_either_format(data_format, monkeypatch):
    train, test = labelled(20, (32, 32, 3)), labelled(10, (32, 32, 3))

    def cached():
        axes = (0, 3, 1, 2) if data_format == "channels_first" else (0, 1, 2, 3)
        return tuple((pixels.transpose(axes), labels[:, None]) for pixels, labels in (train, test))

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", cached)
    check(load_data("cifar10"), train, test)


@pytest.mark.parametrize(
    "harm",
    [
        lambda batch: batch[: len(batch) // 2],
        lambda batch: b"",
        lambda batch: python_2({b"data": np.zeros((3, 3072), np.uint8)}),
        lambda batch: python_2({b"data": np.zeros((3, 3072), np.uint8), b"labels": [0, 1]}),
        lambda batch: python_2({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]}),
        lambda batch: python_2({b"data": np.zeros((2, 3071), np.uint8), b"labels": [0, 1]}),
        lambda batch: python_2({b"data": np.zeros((2, 3072)), b"labels": [0, 1]}),
        lambda batch: pickle.dumps(os.system),
        lambda batch: pickle.dumps([]),
    ],
)
def test_a_damaged_batch_is_refused_in_a_line(tmp_path, harm):
    files, *_ = cifar10()
    write_folder(tmp_path / "data", files | {"test_batch": harm(files["test_batch"])})
    with pytest.raises(ValueError, match="^data_dir: a file of cifar10 in .* is damaged") as caught:
        load_data("cifar10", data_dir=tmp_path / "data")
    assert "Put cifar-10-python.tar.gz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_archive_is_refused(tmp_path):
    write_archive(tmp_path / "whole.tar.gz", "cifar-10-batches-py", cifar10()[0])
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    for size in (0, 10, len(whole) // 2):
        (tmp_path / "cifar-10-python.tar.gz").write_bytes(whole[:size])
        with pytest.raises(ValueError, match="is damaged"):
            load_data("cifar10", data_dir=tmp_path)
    write_mnist(tmp_path)
    whole = (tmp_path / "mnist.npz").read_bytes()
    (tmp_path / "mnist.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="a file of mnist in .* is damaged"):
        load_data("mnist", data_dir=tmp_path)


def test_an_archive_that_lacks_a_batch_is_refused(tmp_path):
    files, *_ = cifar10()
    del files["data_batch_4"]
    write_archive(tmp_path / "cifar-10-python.tar.gz", "cifar-10-batches-py", files)
    with pytest.raises(ValueError, match="lacks data_batch_4, which cifar10 needs"):
        load_data("cifar10", data_dir=tmp_path)
