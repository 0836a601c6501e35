"""Starting TensorFlow for the command line, with fast kernels and without log messages."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keras_convnets import files, quiet


def start_engine(
    load: Iterable[Path] | None = None,
    alone: bool = True,
    draws: bool = False,
    trains: bool = False,
    reads_images: bool = False,
) -> None:
    """Import Keras and its backend, set up for this machine, and the user's own files.

    oneDNN's kernels are faster on CPUs and can run channels_first models there. Environment
    variables that the user has set are not changed.

    Args:
        load: Python files that register builders and layers, from ``--load``.
        alone: whether the run uses only this machine. Several machines must be connected before
            TensorFlow looks for devices.
        draws: whether Graphviz will draw. Its first search for fonts writes log messages, so it is
            done here, where they are hidden.
        trains: whether a network will be trained, which requires TensorFlow.
        reads_images: whether images will be read, which imports TensorFlow on every backend.

    Raises:
        ValueError: the backend cannot be imported, or cannot train.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet.held_back(), _no_garbage_collection():
        keras = _keras()
        if trains:
            from keras_convnets import backends

            backends.check_training()
        if alone and keras.backend.backend() == "tensorflow":
            keras.distribution.list_devices()  # the first search also writes log messages
        if reads_images:
            importlib.import_module("tensorflow")  # which writes log messages
        if draws:
            import pygraphviz

            # On other backends Keras imports TensorFlow here, and that writes log messages.
            keras.saving.serialize_keras_object(keras.config.dtype_policy())
            pygraphviz.AGraph("graph {a}").draw(format="svg", prog="dot")
    for file in load or ():
        _load(file)


def _keras() -> Any:
    try:
        import keras
    except Exception as error:
        backend = os.environ.get("KERAS_BACKEND")
        chosen = f"KERAS_BACKEND={backend}" if backend else "its configuration, ~/.keras/keras.json"
        raise ValueError(
            f"Keras cannot start with {chosen} ({type(error).__name__}: {error}). Install what is "
            "missing, or choose another: KERAS_BACKEND=tensorflow needs nothing else."
        ) from error
    return keras


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Import without looking for garbage, and never look for it among the imported modules.

    Importing Keras and TensorFlow makes millions of objects that stay. The collector's search
    among them takes a quarter of the import's time.
    """
    if "keras" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _load(given: Path) -> None:
    """Import a Python file as ``python FILE`` would, with the modules next to it importable."""
    file = Path(os.path.realpath(given))
    if not os.path.isfile(file) or file.suffix != ".py":
        raise ValueError(
            f"load: received {files.shown(given)}; expected a Python file that exists, such as "
            "my_blocks.py. Name one."
        )
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    try:
        module = importlib.import_module(file.stem)
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"load: cannot import {str(given)!r} ({_reason(error, file)}). Mend the file: "
            f"python {given} should run."
        ) from error
    if module.__file__ is None or Path(module.__file__).resolve() != file:
        raise ValueError(
            f"load: received {str(given)!r}, but {module.__name__!r} is another module, "
            f"{module.__file__ or 'built into Python'}. Rename the file."
        )


def _reason(error: BaseException, file: Path) -> str:
    """Return the error message and the line of the file."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
    said = f"{type(error).__name__}: {error}"
    return f"line {lines[-1]}: {said}" if lines else said
