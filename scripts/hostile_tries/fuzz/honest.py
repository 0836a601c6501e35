"""The honest files, as small as they may be."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

CIFAR = "cifar-10-batches-py"


def write(folder: Path) -> None:
    """Write an honest file of each kind into a folder of its own."""
    random = np.random.default_rng(0)
    for write_one in (_cifar, _mnist, _fashion_mnist, _checkpoint, _models):
        write_one(folder, random)


def _pickled(value: Any) -> bytes:
    """Pickle as Python 2 did: protocol 2, byte strings, the NumPy of the time."""
    pickled = pickle.dumps(value, protocol=2)
    return pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def _batch(random: np.random.Generator) -> bytes:
    pixels = random.integers(0, 256, (2, 3072), np.uint8)
    return _pickled({b"batch_label": b"one", b"labels": [3, 9], b"data": pixels})


def _cifar(folder: Path, random: np.random.Generator) -> None:
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    batches = {name: _batch(random) for name in names}
    (folder / "batches").mkdir(parents=True)
    for name, contents in batches.items():
        (folder / "batches" / name).write_bytes(contents)
    (folder / "archive").mkdir()
    (folder / "archive" / "cifar-10-python.tar.gz").write_bytes(gzip.compress(tar(batches)))


def tar(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files in CIFAR's folder."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, contents in files.items():
            member = tarfile.TarInfo(f"{CIFAR}/{name}")
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))
    return written.getvalue()


def _images(random: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "x_train": random.integers(0, 256, (3, 28, 28), np.uint8),
        "y_train": np.array([0, 9, 5], np.uint8),
        "x_test": random.integers(0, 256, (2, 28, 28), np.uint8),
        "y_test": np.array([1, 2], np.uint8),
    }


def _mnist(folder: Path, random: np.random.Generator) -> None:
    (folder / "mnist").mkdir()
    np.savez_compressed(folder / "mnist" / "mnist.npz", **_images(random))


def _fashion_mnist(folder: Path, random: np.random.Generator) -> None:
    (folder / "fashion").mkdir()
    for name, array in _images(random).items():
        kind, part = name.split("_")
        rank = f"{'images' if kind == 'x' else 'labels'}-idx{array.ndim}-ubyte.gz"
        start = "train" if part == "train" else "t10k"
        sizes = np.array(array.shape, ">i4").tobytes()
        contents = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
        (folder / "fashion" / f"{start}-{rank}").write_bytes(gzip.compress(contents))


def _checkpoint(folder: Path, random: np.random.Generator) -> None:
    from keras_convnets.training.run.checkpoint import Position, write

    (folder / "checkpoint").mkdir()
    arrays = {
        "00000 conv1_conv/kernel": random.standard_normal((3, 3, 1, 4)).astype(np.float32),
        "00001 sgd/iteration": np.array(7, np.int64),
        "00002 seed": np.array([5, 2**32 - 1], np.uint32),
    }
    position = Position(2, 1, {"loss": [1.5, 0.25], "accuracy": [0.5, 0.75]}, 1.25)
    write(folder / "checkpoint" / "checkpoint.npz", arrays, position)


def _models(folder: Path, random: np.random.Generator) -> None:
    import keras

    inputs = keras.Input((4, 4, 1))
    outputs = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    outputs = keras.layers.GlobalAveragePooling2D(name="pool")(outputs)
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax", name="dense")(outputs), name="two")
    model.set_weights([random.standard_normal(w.shape).astype("float32") for w in model.weights])
    for ending in ("keras", "h5"):
        (folder / ending).mkdir()
        model.save(folder / ending / f"model.{ending}")
