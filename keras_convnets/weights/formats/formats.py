"""Weight files of any format as named arrays. What a file is, its contents say, not its suffix."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_convnets import files
from keras_convnets.known import KEY, plain_in
from keras_convnets.printable import cut, printable
from keras_convnets.readers.damage import DamagedFile, damage, opened, size_of
from keras_convnets.readers.hdf5_weights import read_config, read_keras
from keras_convnets.readers.npz import read_npz
from keras_convnets.readers.onnx_file import is_onnx, read_onnx
from keras_convnets.readers.safetensors_file import (
    is_safetensors,
    read_metadata,
    read_safetensors,
)
from keras_convnets.readers.torch_arrays import Choose
from keras_convnets.readers.torch_legacy import is_torch_legacy, read_torch_legacy
from keras_convnets.readers.torch_values import Tensor
from keras_convnets.readers.torch_zip import read_torch_zip
from keras_convnets.readers.zips import names_in
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.formats.state_dict import Found, find, without_prefix

_HDF5 = b"\x89HDF\r\n\x1a\n"
_START = 4096
_LONGEST_NAME = 1000
_EXPECTED = (
    "expected the weights of a network as safetensors, as PyTorch, Keras or ONNX writes them, or "
    "as .npz"
)
# What people take for a file of weights, by how it starts.
_OTHERS = {
    b"version https://git-lfs": "it is a pointer of Git LFS, not the file itself. Fetch that with "
    "git lfs pull",
    b"<": "it is a web page or XML, perhaps an error that was saved instead of the file. Download "
    "it again",
    b"\x1f\x8b": "it is compressed by gzip. Unpack it first",
    b"BZh": "it is compressed by bzip2. Unpack it first",
    b"\xfd7zXZ": "it is compressed by xz. Unpack it first",
    b"\x80": "it is a pickle, but not one of PyTorch's files, and plain pickles are not read. Save "
    "the weights by torch.save or as safetensors",
    b"\x93NUMPY": "it is a single array. Save all weights by name: numpy.savez(path, **arrays)",
    b"{": "it is JSON. Name the file of the weights beside it",
}
_TAR = slice(257, 262), b"ustar"


def read(path: str | os.PathLike[str]) -> NamedArrays:
    """Return the arrays of a weight file.

    PyTorch's files, safetensors, ``.npz``, ONNX and the files of Keras are read; what a file is, is
    seen from its contents. Nothing in it is executed. The weights within a checkpoint are found;
    its moving average (EMA) is preferred where it has one.

    Args:
        path: the file.

    Raises:
        ValueError: there is no such file, it is damaged, or it has no weights.
    """
    try:
        with opened(path) as stream, damage():
            found = _read(stream, path)
            _check_names(found.arrays)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"weights: there is no file {files.shown(path)}; {_EXPECTED}. Check the path."
        ) from None
    except DamagedFile as error:
        raise ValueError(f"weights: cannot read {files.shown(path)}: {error}.") from error
    return found


def _read(stream: BinaryIO, path: str | os.PathLike[str]) -> NamedArrays:
    start = stream.read(_START)
    stream.seek(0)
    if not start:
        raise DamagedFile("it is empty")
    if start.startswith(_HDF5):
        return _read_keras(path)
    if start.startswith(b"PK"):
        return _read_zip(stream, path)
    if is_torch_legacy(start):
        return _read_torch(stream, "torch legacy")
    if is_safetensors(start, size_of(stream)):
        arrays = read_safetensors(stream)
        stream.seek(0)
        return _flat(arrays, "safetensors", read_metadata(stream))
    if is_onnx(start):
        named, operations = read_onnx(stream)
        return NamedArrays(named, "onnx", operations=operations)
    raise DamagedFile(_unknown(start))


def _read_zip(stream: BinaryIO, path: str | os.PathLike[str]) -> NamedArrays:
    names = names_in(stream)
    if any(name.endswith("/data.pkl") for name in names):
        return _read_torch(stream, "torch zip")
    if "model.weights.h5" in names:
        return _read_keras(path)
    if names and all(name.endswith(".npy") for name in names):
        return _flat(read_npz(stream), "npz")
    raise DamagedFile(f"it is a zip archive without weights; {_EXPECTED}")


def _read_torch(stream: BinaryIO, kind: str) -> NamedArrays:
    found: list[Found] = []

    def choose(value: object) -> Mapping[str, Tensor]:
        found.append(find(value))
        return found[0].tensors

    reader = read_torch_zip if kind == "torch zip" else read_torch_legacy
    chosen: Choose = choose
    arrays = reader(stream, chosen)
    return NamedArrays(arrays, kind, found[0].taken, found[0].prefix)


def _read_keras(path: str | os.PathLike[str]) -> NamedArrays:
    kind, arrays = read_keras(path)
    config = read_config(path) if kind == "keras model" else None
    return NamedArrays(arrays, kind, metadata=_known_in(config), config=config)


def _known_in(config: Any) -> dict[str, str]:
    """Return what a file of a model says of its images and classes, as `save_weights` writes it."""
    found = plain_in(config)
    return {} if found is None else {KEY: json.dumps(found)}


def _flat(
    arrays: dict[str, np.ndarray], kind: str, metadata: Mapping[str, str] | None = None
) -> NamedArrays:
    named, prefix = without_prefix(arrays)
    return NamedArrays(named, kind, prefix=prefix, metadata=metadata or {})


def _check_names(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse a file without arrays, and names that no network has."""
    if not arrays:
        raise DamagedFile("it has no arrays")
    for name in arrays:
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            shown = printable(repr(cut(name, 40)))
            raise DamagedFile(
                f"it has an array called {shown}; expected a name that can be printed"
            )


def _unknown(start: bytes) -> str:
    for beginning, words in _OTHERS.items():
        if start.lstrip().startswith(beginning):
            return words
    if start[_TAR[0]] == _TAR[1]:
        return (
            "it is a tar archive, as PyTorch wrote its files before 0.1.10, and these are not "
            "read. Load it with PyTorch, and save it again by torch.save"
        )
    return f"it starts with {start[:8]!r}, like none of these; {_EXPECTED}"
