"""Saved models that are made to do harm."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from hostile_tries.fuzz.fuzzing import CANARY
from hostile_tries.fuzz.zipped import members, zipped

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_HUGE = (2 * 10**8, 2**31 - 1, 2**31, 2**40, 2**62, 2**63, 10**30, -1, -(2**40))
Made = tuple[str, bytes]


def harmful_models(ending: str, whole: bytes) -> Iterator[Made]:
    """Yield damaged models by what they are."""
    yield from (_in_zip(whole) if ending == "keras" else _in_hdf5(whole))


def _in_zip(whole: bytes) -> Iterator[Made]:
    files = members(whole)
    config = json.loads(files[_CONFIG])

    def of(contents: bytes) -> bytes:
        return zipped(list((files | {_CONFIG: contents}).items()))

    for name, text in _texts().items():
        yield name, of(text)
    for name, change in _changes().items():
        changed = copy.deepcopy(config)
        change(changed)
        yield name, of(json.dumps(changed).encode())
    for name in (_CONFIG, _WEIGHTS):
        yield f"without {name}", zipped([item for item in files.items() if item[0] != name])
        yield f"{name} twice", zipped([*files.items(), (name, files[name])])
    yield "assets outside", zipped([*files.items(), ("../../assets/x", b"x"), ("assets/y", b"y")])
    for name, weights in _weights(files[_WEIGHTS]):
        yield name, zipped(list((files | {_WEIGHTS: weights}).items()))
    flipped = bytearray(whole)
    flipped[whole.index(files[_WEIGHTS]) + len(files[_WEIGHTS]) - 5] ^= 1
    yield "one bit of a weight", bytes(flipped)


def _texts() -> dict[str, bytes]:
    return {
        "lists 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
        "objects 100,000 deep": b'{"config":' * 100_000 + b"1" + b"}" * 100_000,
        "brackets within a text, then deep": b'["\\"[[[[", ' + b"[" * 100_000,
        "UTF-16": '{"class_name": "Functional"}'.encode("utf-16"),
        "zeros": bytes(1 << 20),
        "an integer of 100,000 digits": b"9" * 100_000,
        **{text: text.encode() for text in ("", "{}", "[]", "null", "1", '"Functional"', "NaN")},
    }


def _changes() -> dict[str, Callable[[Any], Any]]:
    """Return changes of the configuration by what they are."""
    code = {"value": "4wAAAAAAAAAA", "defaults": None, "closure": None}
    function = {"class_name": "__lambda__", "config": code}
    layers: dict[str, tuple[str, Any]] = {
        "Lambda": ("Lambda", {"name": "conv", "function": function}),
        "a SavedModel": ("TFSMLayer", {"name": "conv", "filepath": CANARY}),
        "a file's words": ("StringLookup", {"name": "conv", "vocabulary": "/etc/passwd"}),
        "a file's words as text": (
            "TextVectorization",
            {"name": "conv", "vocabulary": "/etc/passwd"},
        ),
        "a class that is none": ("NoSuchLayer", {"name": "conv"}),
        "a function": ("function", "get_file"),
        "a class of Keras that is no layer": ("Variable", {"initializer": [1.0]}),
        "a layer without its numbers": ("Conv2D", {"name": "conv"}),
    }
    changes: dict[str, Callable[[Any], Any]] = {}
    for name, (kind, config) in layers.items():
        changes[f"as a layer: {name}"] = _layer(1, class_name=kind, config=config)
    for module in ("os", "builtins", "subprocess", "keras.src.utils", "no.such.module", "", 7):
        changes[f"a module {module!r}"] = _layer(1, module=module, class_name="system")
    for units in _HUGE:
        changes[f"{units} units"] = _setting(3, units=units)
        changes[f"{units} filters"] = _setting(1, filters=units)
        changes[f"kernels of {units}"] = _setting(1, kernel_size=[units, units])
        changes[f"images of {units}"] = _setting(0, batch_shape=[None, units, units, 1])
    changes["layers that wait for each other"] = _circle
    changes["an activation that is code"] = _setting(3, activation=function)
    changes["a name that is a list"] = _layer(1, class_name=["Conv2D"])
    changes["a registered name that is a list"] = _layer(1, registered_name=["a"], module="mine")
    return changes


def _layer(number: int, **values: Any) -> Callable[[Any], Any]:
    return lambda config: config["config"]["layers"][number].update(values)


def _setting(number: int, **values: Any) -> Callable[[Any], Any]:
    return lambda config: config["config"]["layers"][number]["config"].update(values)


def _circle(config: Any) -> None:
    layers = config["config"]["layers"]
    layers[1]["inbound_nodes"], layers[2]["inbound_nodes"] = (
        layers[2]["inbound_nodes"],
        layers[1]["inbound_nodes"],
    )


def _weights(weights: bytes) -> Iterator[Made]:
    def place(file: Any) -> str:
        found: list[str] = []
        file.visititems(lambda name, one: found.append(name) if hasattr(one, "shape") else None)
        return found[0]

    def instead(make: Callable[[Any, str], Any]) -> bytes:
        def change(file: Any) -> None:
            name = place(file)
            del file[name]
            make(file, name)

        return _changed(weights, change)

    yield "no HDF5", b"x" * 1000
    yield "half of the weights", weights[: len(weights) // 2]
    outside = h5py.ExternalLink("/etc/passwd", "/x")
    yield "a link to another file", instead(lambda file, name: file.__setitem__(name, outside))
    within = h5py.SoftLink("/nowhere")
    yield "a link to nowhere", instead(lambda file, name: file.__setitem__(name, within))
    of_text = np.array([b"a", b"b"], object)
    text = h5py.string_dtype()
    yield (
        "weights of text",
        instead(lambda file, name: file.create_dataset(name, data=of_text, dtype=text)),
    )
    yield "other shapes", instead(lambda file, name: file.create_dataset(name, data=np.zeros(5)))
    yield (
        "raw data of another file",
        instead(lambda file, name: file.create_dataset(name, (9,), "u1", external="/etc/passwd")),
    )
    yield (
        "weights of 4 TB",
        instead(
            lambda file, name: file.create_dataset(name, (2**20, 2**20), "f4", chunks=(64, 64))
        ),
    )
    yield "a group instead of weights", instead(lambda file, name: file.create_group(name))


def _changed(contents: bytes, change: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO(contents)
    with h5py.File(stream, "r+") as file:
        change(file)
    return stream.getvalue()


def _in_hdf5(whole: bytes) -> Iterator[Made]:
    with h5py.File(io.BytesIO(whole)) as file:
        config = json.loads(file.attrs["model_config"])

    def of(text: str) -> bytes:
        return _changed(whole, lambda file: file.attrs.__setitem__("model_config", text))

    for name, text in _texts().items():
        yield name, of(text.decode("latin-1").replace("\0", " ")[:60_000])
    for name, change in _changes().items():
        if name.startswith(("as a layer: a", "a module")):
            continue
        changed = copy.deepcopy(config)
        change(changed)
        yield name, of(json.dumps(changed))
    yield from _weights(whole)
