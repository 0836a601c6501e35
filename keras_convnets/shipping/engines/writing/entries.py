"""The texts that a file has of itself: ours, and those that other tools read."""

from __future__ import annotations

import json

from keras_convnets.printable import printable
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.about_json import to_json

ABOUT, CLASS_NAMES, PREPROCESSING, LABELS = "about", "class_names", "preprocessing", "labels"
KEY = {
    "saved_model": "assets.extra/keras_convnets.json",
    "onnx": "keras_convnets",
    "litert": "keras_convnets.json",
    "openvino": "keras_convnets",
}
"""Where each kind of file has our description: a key, or a file."""


def entries(about: About) -> dict[str, str]:
    """Return the texts by name: JSON of ASCII characters, and labels in lines.

    ``class_names`` has the names exactly, as has ``about``; a line of ``labels`` shows what does
    not fit a line, such as a line break, as its escape. Both are missing if no names are known.
    """
    found = {ABOUT: to_json(about)}
    if about.class_names:
        found[CLASS_NAMES] = json.dumps(about.class_names)
        found[LABELS] = "".join(f"{printable(name)}\n" for name in about.class_names)
    if about.preprocessing is not None:
        found[PREPROCESSING] = json.dumps(about.preprocessing)
    return found
