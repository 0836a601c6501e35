"""The kinds of exported files: how each is named, what runs it, and what has to be installed."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from pathlib import Path

from keras_convnets import files

PRECISIONS = ("float32", "float16", "bfloat16", "int8")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of exported file.

    Attributes:
        name: its name, such as ``"onnx"``.
        suffix: how its files end; empty for a folder.
        runtime: the name of what runs it.
        modules: the modules that running it needs.
        writers: the further modules that writing it needs.
        extra: the extra of this package that installs them; empty if none is needed.
        precisions: those that it can be written in.
    """

    name: str
    suffix: str
    runtime: str
    modules: tuple[str, ...]
    writers: tuple[str, ...]
    extra: str
    precisions: tuple[str, ...]


SAVED_MODEL = Kind(
    *("saved_model", "", "TensorFlow", ("tensorflow",), (), ""),
    ("float32", "float16", "bfloat16"),
)
ONNX = Kind(
    *("onnx", ".onnx", "ONNX Runtime", ("onnxruntime",), ("onnx", "tf2onnx"), "onnx"),
    ("float32", "float16", "int8"),
)
LITERT = Kind(
    *("litert", ".tflite", "LiteRT", ("ai_edge_litert",), (), "litert"),
    ("float32", "float16", "int8"),
)
OPENVINO = Kind("openvino", ".xml", "OpenVINO", ("openvino",), (), "openvino", PRECISIONS)
KINDS = (SAVED_MODEL, ONNX, LITERT, OPENVINO)


def kind_of(path: str | os.PathLike[str]) -> Kind:
    """Return the kind of a path by its suffix; a folder that exists is a SavedModel.

    Raises:
        ValueError: no kind has this suffix.

    Examples:
        >>> kind_of("resnet.onnx").runtime
        'ONNX Runtime'
        >>> kind_of("serving/resnet/1").name
        'saved_model'
    """
    suffix = Path(path).suffix
    for kind in KINDS:
        if suffix == kind.suffix:
            return kind
    if os.path.isdir(path):
        return SAVED_MODEL
    known = ", ".join(kind.suffix for kind in KINDS if kind.suffix)
    raise ValueError(
        f"path: received {files.shown(path)}; expected a name that ends in {known}, or that of a "
        "folder for a SavedModel. Choose one of these."
    )


def check_installed(kind: Kind, writes: bool = False, precision: str = "float32") -> None:
    """Refuse a kind whose runtime (or, to write it, converter) is not installed.

    Args:
        kind: the kind.
        writes: whether a file is to be written, in the precision, and not only run.
        precision: 8-bit integers of OpenVINO come by way of ONNX.

    Raises:
        ValueError: a module is missing; the line says which extra installs it.
    """
    needed, extra = (*kind.modules, *(kind.writers if writes else ())), kind.extra
    if writes and kind is OPENVINO and precision == "int8":
        needed, extra = (*needed, *ONNX.modules, *ONNX.writers), f"{extra},{ONNX.extra}"
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{kind.runtime}: received no package {', '.join(missing)}; expected it, for "
            f"{kind.suffix or 'folders'}. Install it: pip install 'keras_convnets[{extra}]'."
        )


def is_installed(kind: Kind) -> bool:
    """Return whether the runtime of a kind is installed."""
    return all(importlib.util.find_spec(name) is not None for name in kind.modules)
