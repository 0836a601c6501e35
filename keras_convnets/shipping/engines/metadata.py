"""What an exported file says of itself: written into it, and read back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.readers import model_notes
from keras_convnets.readers.damage import DamagedFile, damage, opened, whole
from keras_convnets.shipping.engines import about_json
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import (
    LITERT,
    ONNX,
    OPENVINO,
    SAVED_MODEL,
    Kind,
    kind_of,
)
from keras_convnets.shipping.engines.writing import litert, onnx_file, openvino_file, saved_model
from keras_convnets.shipping.engines.writing.entries import KEY, entries

_WRITERS: dict[str, Callable[[Path, dict[str, str]], None]] = {
    SAVED_MODEL.name: saved_model.embed,
    ONNX.name: onnx_file.embed,
    LITERT.name: litert.embed,
    OPENVINO.name: openvino_file.embed,
}
_READERS: dict[str, Callable[[Any], dict[str, bytes]]] = {
    ONNX.name: model_notes.of_onnx,
    LITERT.name: model_notes.of_litert,
    OPENVINO.name: model_notes.of_openvino,
}


def embed(kind: Kind, path: str | os.PathLike[str], about: About) -> None:
    """Write what a file says of itself into it, in the place of what it said before.

    What other tools read is written too: the names of the classes, and for ONNX the preprocessing.

    Args:
        kind: the kind of the file.
        path: the file, or the folder of a SavedModel.
        about: the description.

    Raises:
        ValueError: the description has what JSON cannot represent, or the file cannot be written.
    """
    _WRITERS[kind.name](Path(path), entries(about))


def read_about(path: str | os.PathLike[str]) -> About | None:
    """Return what a file says of itself; ``None`` for one that this package did not write.

    Neither the model in it is read nor its runtime needed.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedFile: what it says is damaged. It is a ``ValueError``.
    """
    kind = kind_of(path)
    if kind is SAVED_MODEL:
        found = _beside(Path(path))
    else:
        with opened(path) as stream, damage():
            found = _READERS[kind.name](stream).get(KEY[kind.name])
    if found is None:
        return None
    with damage():
        return about_json.from_json(found)


def _beside(folder: Path) -> bytes | None:
    """Return the file in a SavedModel in which it describes itself, if it has one."""
    if not folder.exists():
        raise FileNotFoundError(2, os.strerror(2), os.fspath(folder))
    if not folder.is_dir():
        raise DamagedFile("it is a file; expected a folder")
    try:
        return whole(folder / KEY[SAVED_MODEL.name], model_notes.MOST)
    except (FileNotFoundError, NotADirectoryError):
        return None


def about_of(path: str | os.PathLike[str]) -> About | None:
    """Return `read_about`, or raise a ``ValueError`` that names the file.

    Raises:
        ValueError: there is no such file, or what it says of itself is damaged.
    """
    try:
        return read_about(path)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"path: received {files.shown(path)}; there is no such file. Name one that exists."
        ) from None
    except DamagedFile as error:
        raise ValueError(
            f"path: cannot read {files.shown(path)} ({error}). Expected an exported model: export "
            "it again."
        ) from error
