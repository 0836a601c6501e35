"""An ONNX file has properties in its metadata, which ONNX Runtime and Netron show."""

from __future__ import annotations

import importlib
from pathlib import Path

from keras_convnets.files import replacing
from keras_convnets.shipping.engines.writing.entries import (
    ABOUT,
    CLASS_NAMES,
    KEY,
    LABELS,
    PREPROCESSING,
)

_KEYS = {
    ABOUT: KEY["onnx"],
    CLASS_NAMES: CLASS_NAMES,
    LABELS: LABELS,
    PREPROCESSING: PREPROCESSING,
}


def embed(path: Path, entries: dict[str, str]) -> None:
    """Write our description, the names of the classes and the preprocessing as properties."""
    onnx = importlib.import_module("onnx")
    model = onnx.load(path, load_external_data=False)
    kept = {entry.key: entry.value for entry in model.metadata_props}
    for key in _KEYS.values():
        kept.pop(key, None)
    onnx.helper.set_model_props(model, kept | {_KEYS[name]: entries[name] for name in entries})
    with replacing(path) as new:
        onnx.save(model, new)
