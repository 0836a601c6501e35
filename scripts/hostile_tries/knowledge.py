"""What files say beside weights: of a model's images and classes, and of the images of timm's."""

from __future__ import annotations

import json
import os
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault, contained
from hostile_tries.fuzz.values import anywhere
from hostile_tries.nasty import FILES, TEXTS, check_seen
from hostile_tries.trying import REFUSED, WORKED, Count, Try, check_line

_SAID = {
    "weights": "torchvision",
    "preprocessing": {
        "channels": 3,
        "rows": 8,
        "cols": 8,
        "scale": 255.0,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.2, 0.2],
        "resize": "crop",
        "shorter_side": 10,
        "interpolation": "bicubic",
    },
    "class_names": ["cat", "dog", "bird"],
}
_CONFIG = {
    "architecture": "resnet50",
    "num_classes": 1000,
    "pretrained_cfg": {
        "tag": "a1_in1k",
        "input_size": [3, 224, 224],
        "test_input_size": [3, 288, 288],
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "test_crop_pct": 1.0,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "license": "apache-2.0",
    },
}
_FILES, _SAYINGS, _DESCRIPTIONS = 12, 1500, 1500


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    contained(lambda: _keep(place))
    for number in range(_FILES):
        yield Try(f"a .keras file, {number}", lambda number=number: _file(place, number))
    yield Try("what is said of a model", _sayings)
    yield Try("names of classes", lambda: _names(place))
    yield Try("descriptions beside timm's weights", lambda: _descriptions(place))
    yield Try("names of weights", lambda: _weights(place))


def _model() -> Any:
    import keras

    inputs = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


def _keep(place: Path) -> None:
    from keras_convnets.known import from_plain, remember

    model = _model()
    remember(model, from_plain(_SAID))
    model.save(place / "kept.keras")


def _file(place: Path, seed: int) -> str:
    """Open a saved model that says something else of itself, and use what it says."""
    from keras_convnets import load_model

    with zipfile.ZipFile(place / "kept.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    said = anywhere(random.Random(seed), _SAID)
    config["build_config"]["keras_convnets"] = said
    file = place / f"{seed}.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            text = json.dumps(config).encode() if name == "config.json" else content
            archive.writestr(name, text)
    return _used(lambda: load_model(file))


def _used(make: Any) -> str:
    """Prepare an image as a model says, or be refused in a line."""
    import numpy as np

    from keras_convnets import class_names_of, preprocessing_of

    try:
        model = make()
        preprocessing = preprocessing_of(model)
        names = class_names_of(model)
        if preprocessing is not None and max(preprocessing.image_shape) < 100:
            found = preprocessing(np.zeros((6, 9, 3), "uint8")).numpy()
            if found.shape != (*preprocessing.image_shape[1:], preprocessing.channels):
                raise Fault(f"{preprocessing} makes {found.shape}")
        if names is not None and len(names) != 3:
            raise Fault(f"names of 3 classes: {names!r:.200}")
    except ValueError as error:
        check_line(str(error))
        return REFUSED
    return WORKED


def _sayings() -> Count:
    from keras_convnets.known import check_outputs, from_plain, remember

    model = _model()

    def told(seed: int) -> Any:
        said = from_plain(json.loads(json.dumps(anywhere(random.Random(seed), _SAID))))
        remember(model, said)
        check_outputs(model)
        return model

    return _counted(_used(lambda seed=seed: told(seed)) for seed in range(_SAYINGS))


def _names(place: Path) -> Count:
    """Save and load names of every kind."""
    from keras_convnets import class_names_of, load_model
    from keras_convnets.known import Known, remember

    model = _model()
    for first in range(0, len(TEXTS) - 2, 3):
        names = tuple(TEXTS[first : first + 3])
        remember(model, Known(class_names=names))
        model.save(place / "names.keras")
        if class_names_of(load_model(place / "names.keras")) != names:
            raise Fault(f"{names!r:.300} is something else once it is saved and loaded")
    return {WORKED: len(TEXTS) // 3}


def _descriptions(place: Path) -> Count:
    """Read descriptions; what they say makes a preprocessing, or they are refused in a line."""
    from keras_convnets.images.preprocessing import Preprocessing
    from keras_convnets.weights.published.fetch import resolve
    from keras_convnets.weights.published.published import images_of

    folder = place / "hub"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"")

    def read(seed: int) -> str:
        text = json.dumps(anywhere(random.Random(seed), _CONFIG))
        (folder / "config.json").write_text(text)
        try:
            _, row = resolve(folder)
            if row is not None:
                check_seen(f"{row.name} {row.licence}")
                Preprocessing.from_config(images_of(row) or {})
        except ValueError as error:
            check_line(str(error))
            return REFUSED
        return WORKED

    return _counted(map(read, range(_DESCRIPTIONS)))


def _weights(place: Path) -> Count:
    """Name weights in every way, as a file or as published ones, where there is no network."""
    from keras_convnets.weights.published.fetch import resolve

    os.chdir(place)
    os.environ |= {"KERAS_HOME": str(place / "keras"), "http_proxy": "", "https_proxy": ""}
    names = [*TEXTS, *map(os.fsdecode, FILES), "timm/", "timm/..", "timm/../x", "keras/", "/", "."]

    def resolved(name: str, networks: tuple[str, ...]) -> str:
        try:
            resolve(name, networks)
        except ValueError as error:
            check_line(str(error))
            return REFUSED
        return WORKED

    return _counted(resolved(name, to) for name in names for to in ((), ("vgg_11",), ("lenet_5",)))


def _counted(ends: Any) -> Count:
    ends = list(ends)
    return {end: ends.count(end) for end in (REFUSED, WORKED)}
