"""Arrays by name as files that others read: safetensors, and NumPy's ``.npz``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from keras_convnets import files
from keras_convnets.received import shown

_PYTORCH = (".pth", ".pt", ".bin", ".ckpt", ".tar", ".pkl")
_ARGUMENTS = ("file", "allow_pickle")  # of numpy.savez, which takes the arrays by keyword


def check_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a file to write: ``".safetensors"`` or ``".npz"``.

    Raises:
        ValueError: it is another one.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix in _PYTORCH:
        raise ValueError(
            f"path: received {files.shown(path)}; expected .safetensors or .npz, because PyTorch's "
            "own files are pickles. Write .safetensors: PyTorch reads it by "
            "safetensors.torch.load_file(path)."
        )
    if suffix not in (".safetensors", ".npz"):
        raise ValueError(
            f"path: received {files.shown(path)}; expected a name that ends in .safetensors or "
            ".npz. Choose one of these."
        )
    return suffix


def write(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays by name to a file, whose format is that of its suffix.

    The file is written completely or not at all.

    Args:
        path: the file, ``.safetensors`` or ``.npz``.
        arrays: the arrays by name.
        metadata: texts by name, which safetensors keeps beside the arrays; an ``.npz`` has no place
            for them.

    Raises:
        ValueError: the suffix is another, or the file cannot be written.
    """
    suffix = check_suffix(path)
    ordered = {name: _plain(name, array) for name, array in arrays.items()}
    with files.replacing(path) as written:
        if suffix == ".npz":
            _write_npz(written, ordered)
        else:
            try:
                save_file(ordered, written, dict(metadata or {}))
            except SafetensorError as error:  # the system's errors, as a text
                raise OSError(str(error)) from error
        _flush(written)


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    """Return an array as the formats have them: in C order, without bfloat16."""
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"arrays: {shown(name)} has the type {array.dtype}; expected numbers.")
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def _write_npz(path: os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    if taken := [name for name in _ARGUMENTS if name in arrays]:
        raise ValueError(
            f"path: numpy.savez cannot write an array called {taken[0]!r}; expected other names. "
            "Write .safetensors."
        )
    stored: dict[str, Any] = dict(arrays)
    np.savez(path, **stored)


def _flush(path: os.PathLike[str]) -> None:
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())
