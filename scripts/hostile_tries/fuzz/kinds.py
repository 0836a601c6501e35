"""The kinds of files: how each is read, and when what is read is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile_tries.fuzz import mutations, pickled, values, zipped
from hostile_tries.fuzz.fuzzing import Fuzz, Mutation

_SUM = zipped.of_member((), mutations.anywhere)
_H5 = ("model.weights.h5",)
_CONFIG = ("config.json",)
_RUNS = Path(__file__).resolve().parents[3] / "tests" / "data" / "runs"


def kinds(honest: Path) -> Iterator[Fuzz]:
    """Yield the fuzz of each reader."""
    yield from _data_sets(honest)
    yield from _checkpoints(honest / "checkpoint")
    yield from _models(honest)
    yield from _configurations()


def _data_sets(honest: Path) -> Iterator[Fuzz]:
    def fuzz(name: str, place: str, file: str, right: Any, mutate: Mutation, count: int) -> Fuzz:
        data = {"mnist": "mnist", "fashion": "fashion_mnist"}.get(place, "cifar10")
        return Fuzz(
            name, honest / place, file, lambda folder: _data(data, folder), right, mutate, count
        )

    batch, archive = ("batches", "test_batch"), ("archive", "cifar-10-python.tar.gz")
    idx, npz = ("fashion", "train-images-idx3-ubyte.gz"), ("mnist", "mnist.npz")
    yield fuzz("CIFAR batches, any byte", *batch, _typed, mutations.anywhere, 1500)
    yield fuzz("CIFAR batches, instructions", *batch, _typed, pickled.instructions, 2500)
    yield fuzz("CIFAR archives, any byte", *archive, _same, mutations.anywhere, 1300)
    yield fuzz("CIFAR archives, within", *archive, _typed, zipped.of_gzip(mutations.anywhere), 500)
    yield fuzz("CIFAR archives, tar", *archive, _typed, zipped.of_gzip(zipped.tar_header), 500)
    yield fuzz("IDX, any byte", *idx, _same, mutations.anywhere, 1000)
    yield fuzz("IDX, headers", *idx, _typed, zipped.of_gzip(zipped.idx_header), 700)
    yield fuzz("IDX, within", *idx, _typed, zipped.of_gzip(mutations.anywhere), 500)
    yield fuzz("npz, any byte", *npz, _same, mutations.anywhere, 1000)
    yield fuzz("npz, headers", *npz, _typed, zipped.of_member((), zipped.npy_header), 700)
    yield fuzz("npz, directory", *npz, _same, zipped.directory, 700)
    yield fuzz("npz, within", *npz, _typed, _SUM, 300)


def _data(name: str, folder: Path) -> list[np.ndarray]:
    from keras_convnets.training.data.keras_datasets import load

    source = load(name, folder)
    return [array for part in (source.train, source.test) for array in (part.array, part.labels)]


def _same(right: list[np.ndarray], found: list[np.ndarray]) -> bool:
    return all(map(np.array_equal, right, found)) and _typed(right, found)


def _typed(right: list[np.ndarray], found: list[np.ndarray]) -> bool:
    def is_typed(images: np.ndarray, labels: np.ndarray) -> bool:
        return len(images) == len(labels) > 0 and 0 <= labels.min() <= labels.max() <= 9

    return (
        all(one.dtype == other.dtype for one, other in zip(right, found, strict=True))
        and all(one.shape[1:] == other.shape[1:] for one, other in zip(right, found, strict=True))
        and is_typed(*found[:2])
        and is_typed(*found[2:])
    )


def _checkpoints(honest: Path) -> Iterator[Fuzz]:
    def fuzz(name: str, right: Any, mutate: Mutation, count: int) -> Fuzz:
        return Fuzz(name, honest, "checkpoint.npz", _checkpoint, right, mutate, count)

    position = zipped.of_member(("position.npy",), _position)
    yield fuzz("checkpoints, any byte", _same_state, mutations.anywhere, 1500)
    yield fuzz("checkpoints, headers", _typed_state, zipped.of_member((), zipped.npy_header), 600)
    yield fuzz("checkpoints, directory", _same_state, zipped.directory, 500)
    yield fuzz("checkpoints, position", _typed_state, position, 800)
    yield fuzz("checkpoints, within", _typed_state, _SUM, 500)


def _checkpoint(folder: Path) -> Any:
    from keras_convnets.training.run.checkpoint import read

    return read(folder / "checkpoint.npz")


def _position(chance: Any, honest: bytes) -> bytes:
    start = honest.index(b"\n") + 1
    text = zipped.of_json(values.anywhere)(chance, honest[start:])
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(text)},), }}".encode()
    return honest[:8] + len(header).to_bytes(2, "little") + header + text


def _same_state(right: Any, found: Any) -> bool:
    (arrays, position), (others, other) = right, found
    equal = all(
        np.array_equal(array, others[name]) for name, array in arrays.items() if name in others
    )
    # Arrays that are missing are found by the model: what is there must be right.
    return equal and position == other and _typed_state(right, found)


def _typed_state(right: Any, found: Any) -> bool:
    arrays, position = found
    lengths = {len(column) for column in position.history.values()} | {position.epoch}
    return (
        all(array.dtype.kind in "biuf" for array in arrays.values())
        and type(position.epoch) is type(position.step) is int
        and len(lengths) == 1
        and min(position.epoch, position.step) >= 0
    )


def _models(honest: Path) -> Iterator[Fuzz]:
    def fuzz(name: str, right: Any, mutate: Mutation, count: int, ending: str = "keras") -> Fuzz:
        file = f"model.{ending}"
        return Fuzz(
            name, honest / ending, file, lambda folder: _model(folder / file), right, mutate, count
        )

    config = zipped.of_member(_CONFIG, zipped.of_json(values.anywhere))
    yield fuzz(".keras, any byte", _same_model, mutations.anywhere, 1000)
    yield fuzz(".keras, directory", _same_model, zipped.directory, 400)
    yield fuzz(".keras, values of the configuration", _is_model, config, 1200)
    yield fuzz(
        ".keras, text of the configuration",
        _is_model,
        zipped.of_member(_CONFIG, mutations.anywhere),
        200,
    )
    yield fuzz(".keras, weights", _is_model, zipped.of_member(_H5, mutations.anywhere), 600)
    yield fuzz(".h5, any byte", _is_model, mutations.anywhere, 250, "h5")


def _model(file: Path) -> Any:
    from keras_convnets.saved_models import load_model

    model = load_model(file)
    return model, model.get_weights()


def _same_model(right: Any, found: Any) -> bool:
    (model, weights), (other, others) = right, found
    return model.get_config() == other.get_config() and all(map(np.array_equal, weights, others))


def _is_model(right: Any, found: Any) -> bool:
    import keras

    model, weights = found
    return isinstance(model, keras.Model) and all(w.dtype.kind in "biufV" for w in weights)


def _configurations() -> Iterator[Fuzz]:
    """Yield the fuzz of the configurations of runs, of each format that there has been."""
    for folder in sorted(_RUNS.iterdir()):
        text, value = mutations.anywhere, zipped.of_json(values.anywhere)
        for name, mutate, count in (("any byte", text, 500), ("values", value, 600)):
            title = f"config.json of {folder.name}, {name}"
            yield Fuzz(
                title, folder, "config.json", _configuration, _is_configuration, mutate, count
            )


def _configuration(folder: Path) -> Any:
    from keras_convnets.training.run import config_file

    return config_file.read(folder)


def _is_configuration(right: Any, found: Any) -> bool:
    from keras_convnets.training import stored

    # What is read is of the right types: it is read again as the same once it is written.
    return type(found) is type(right) and stored.read(type(found), stored.written(found)) == found
