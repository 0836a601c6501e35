"""Readers for the files of well-known data sets, in the formats published by their authors.

Each function takes a folder and returns the training and test images with their labels. It raises
``FileNotFoundError`` with the name of the missing file, or one of the errors in ``DAMAGED``.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]

DAMAGED = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    zlib.error,
    pickle.UnpicklingError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
FASHION_MNIST = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_UNSIGNED_BYTES = 8


def mnist(folder: Path) -> tuple[Arrays, Arrays]:
    """Read ``mnist.npz``."""
    path = _first("mnist.npz", folder / "mnist.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
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
    """Read a byte array in LeCun's IDX format: a header of type, rank and sizes, then the data."""
    with gzip.open(path) as file:
        contents = file.read()
    kind, rank = contents[2], contents[3]
    if contents[:2] != b"\0\0" or kind != _UNSIGNED_BYTES:
        raise ValueError(f"{path.name} has no IDX header")
    sizes = np.frombuffer(contents, ">i4", rank, offset=4)
    return np.frombuffer(contents, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def _cifar(
    folder: Path, archive: str, inner: str, names: Sequence[str], label_key: str
) -> list[Arrays]:
    """Return the named batches, wherever Keras or a user put them under ``folder``."""
    places = (folder / inner, folder / f"{inner}-target" / inner, folder)
    for place in places:
        if (place / names[0]).is_file():
            files = {name: _first(name, place / name).read_bytes() for name in names}
            break
    else:
        archives = (archive, f"{inner}.tar.gz", f"{inner}-target_archive")
        files = _members(_first(archive, *(folder / name for name in archives)), inner)
    missing = [name for name in names if name not in files]
    if missing:
        raise FileNotFoundError(missing[0])
    return [_cifar_batch(files[name], label_key) for name in names]


def _members(path: Path, inner: str) -> dict[str, bytes]:
    """Return the files of an archive's folder by name, without unpacking it to disk."""
    files = {}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = Path(member.name).parts
            if member.isfile() and parts[-2:-1] == (inner,):
                files[parts[-1]] = archive.extractfile(member).read()  # type: ignore[union-attr]
    return files


def _cifar_batch(contents: bytes, label_key: str) -> Arrays:
    batch = _OnlyArrays(io.BytesIO(contents), encoding="bytes").load()
    pixels, labels = np.asarray(batch[b"data"]), np.asarray(batch[label_key.encode()])
    if pixels.dtype != np.uint8:
        raise ValueError(f"pixels of type {pixels.dtype}")
    return np.moveaxis(pixels.reshape(-1, 3, 32, 32), 1, -1), labels


class _OnlyArrays(pickle.Unpickler):
    """An unpickler that reads NumPy arrays and refuses everything else."""

    _ALLOWED = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): lambda text, encoding: text.encode(encoding),
    }

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module.endswith("multiarray"):
            return _reconstruct
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self._ALLOWED[module, name]


def _reconstruct(kind: type, shape: tuple[int, ...], _: Any) -> np.ndarray:
    """Return an empty array to be filled; NumPy's own function has moved between versions."""
    return np.ndarray.__new__(np.ndarray, shape, "b")
