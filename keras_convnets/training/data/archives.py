"""The files of well-known data sets, in the formats published by their authors.

Each function takes a folder and returns the training and test images with their labels.

Raises:
    FileNotFoundError: with the name of the missing file.
    DamagedFile: a file is not what its authors published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets.readers.damage import DamagedFile, damage, opened, whole
from keras_convnets.readers.inflated import read_idx, read_tar
from keras_convnets.readers.npz import read_npz
from keras_convnets.readers.pickles import read_pickle

Arrays = tuple[np.ndarray, np.ndarray]

FASHION_MNIST = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_LARGEST_BATCH = 1 << 30


def mnist(folder: Path) -> tuple[Arrays, Arrays]:
    """Read ``mnist.npz``."""
    path = _first("mnist.npz", folder / "mnist.npz")
    with opened(path) as stream, damage():
        arrays = read_npz(stream)
        x_train, y_train, x_test, y_test = (
            arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")
        )
    return (x_train, y_train), (x_test, y_test)


def fashion_mnist(folder: Path) -> tuple[Arrays, Arrays]:
    """Read the four files, from the folder or its ``fashion-mnist``, where Keras puts them."""
    x_train, y_train, x_test, y_test = (
        _idx(_first(name, folder / name, folder / "fashion-mnist" / name)) for name in FASHION_MNIST
    )
    return (x_train, y_train), (x_test, y_test)


def cifar10(folder: Path) -> tuple[Arrays, Arrays]:
    """Read ``cifar-10-python.tar.gz`` or the folder it unpacks to."""
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    *train, test = _cifar(folder, "cifar-10-python.tar.gz", "cifar-10-batches-py", names, "labels")
    pixels, labels = zip(*train, strict=True)
    return (np.concatenate(pixels), np.concatenate(labels)), test


def cifar100(folder: Path) -> tuple[Arrays, Arrays]:
    """Read ``cifar-100-python.tar.gz`` or the folder it unpacks to, with the fine labels."""
    train, test = _cifar(
        folder, "cifar-100-python.tar.gz", "cifar-100-python", ("train", "test"), "fine_labels"
    )
    return train, test


def _first(name: str, *places: Path) -> Path:
    """Return the path of the file in the first of the places that has it."""
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(name)


def _idx(path: Path) -> np.ndarray:
    with opened(path) as stream, damage():
        return read_idx(stream)


def _cifar(
    folder: Path, archive: str, inner: str, names: Sequence[str], label_key: str
) -> list[Arrays]:
    """Return the named batches, wherever Keras or a user put them under ``folder``."""
    places = (folder / inner, folder / f"{inner}-target" / inner, folder)
    files: Mapping[str, bytes | bytearray]
    for place in places:
        if (place / names[0]).is_file():
            files = {name: whole(_first(name, place / name), _LARGEST_BATCH) for name in names}
            break
    else:
        archives = (archive, f"{inner}.tar.gz", f"{inner}-target_archive")
        with opened(_first(archive, *(folder / name for name in archives))) as stream, damage():
            files = read_tar(stream, inner, names)
    missing = [name for name in names if name not in files]
    if missing:
        raise FileNotFoundError(missing[0])
    with damage():
        return [_cifar_batch(files[name], label_key) for name in names]


def _cifar_batch(contents: bytes | bytearray, label_key: str) -> Arrays:
    batch = read_pickle(contents)
    pixels, labels = batch[b"data"], _labels(batch[label_key.encode()])
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise DamagedFile(f"pixels of type {getattr(pixels, 'dtype', type(pixels).__name__)}")
    return np.moveaxis(pixels.reshape(-1, 3, 32, 32), 1, -1), labels


def _labels(labels: Any) -> np.ndarray:
    """Return labels as an array of integers, which they are already or as a list."""
    if type(labels) is list and all(type(label) is int for label in labels):
        labels = np.array(labels, np.int64)
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        raise DamagedFile("labels that are not integers")
    return labels
