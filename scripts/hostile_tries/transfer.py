"""Weight files whose arrays do not fit, for models of all kinds: they get all of them or none."""

from __future__ import annotations

import functools
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Count, Try, refused_or_worked

TESTS = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(TESTS))

_FILES = 30  # for each model
_MODELS: dict[str, dict[str, Any]] = {
    "as in the file": {},
    "1 channel and 5 classes": {"channels": 1, "classes": 5},
    "5 channels": {"channels": 5},
    "without the top": {"include_top": False},
    "channels first": {"data_format": "channels_first"},
}
State = dict[str, np.ndarray]


def tries(place: Path) -> Iterator[Try]:
    """Yield a try for each kind of model."""
    for number, (name, options) in enumerate(_MODELS.items()):
        folder = place / str(number)
        run = functools.partial(_loaded, folder, options, number)
        yield Try(f"files for a model {name}", run, seconds=120.0)
    yield Try("published names and paths", functools.partial(_names, place / "names"))


def _loaded(folder: Path, options: dict[str, Any], seed: int) -> Count:
    """Load files with one to three changes of random arrays into a model."""
    from tiny_resnet import state_dict, tiny

    folder.mkdir()
    model, original, found = tiny(**options), state_dict(), Counter[str]()
    drawn, faults = random.Random(seed), []
    for number in range(_FILES):
        state, changes = dict(original), []
        for change in drawn.sample(list(_CHANGES), drawn.randint(1, 3)):
            changes.append(change)
            _CHANGES[change](state, drawn)
        try:
            found[_outcome(model, folder / f"{number}.npz", state, number % 2 == 0)] += 1
        except Exception as error:
            faults.append(f"{', '.join(changes)}: {type(error).__name__}: {error}"[:300])
    if faults:
        raise Fault("; ".join(faults[:5]))
    return found


def _outcome(model: Any, file: Path, state: State, strict: bool) -> str:
    """Load a file; what is not in its report, or was refused, must be as it was."""
    from keras_convnets import load_weights
    from keras_convnets.weights.placing.model_layers import layers_of, weights_of

    np.savez(file, **state)
    weights = weights_of(layers_of(model))
    before = {name: np.array(weight) for name, weight in weights.items()}
    reports: list[Any] = []
    outcome = refused_or_worked(
        lambda: reports.append(load_weights(model, file, strict=strict, channels="mean"))
    )
    loaded = reports[0].loaded if outcome == WORKED else {}
    for name, weight in weights.items():
        value = np.array(weight)
        if not np.isfinite(value).all():
            raise Fault(f"{name} is not finite")
        if name not in loaded and not np.array_equal(value, before[name]):
            raise Fault(f"{name} has changed")
        if name in loaded and value.ndim == 1:
            wanted = state[loaded[name]].astype("float32")
            if not np.array_equal(value, wanted):
                raise Fault(f"{name} is not {loaded[name]}")
    if outcome == WORKED:
        str(reports[0])
        missing = weights.keys() - loaded.keys() - set(reports[0].missing)
        if any(name.rsplit("/", 1)[0] not in reports[0].anew for name in missing):
            raise Fault(f"{sorted(missing)} are neither loaded nor in the report")
    return outcome


def _names(folder: Path) -> Count:
    """Give names and paths of nothing; where there is no network, a line says so."""
    from keras_convnets import load_weights
    from tiny_resnet import tiny

    folder.mkdir()
    model, found = tiny(), Counter[str]()
    (folder / "empty.npz").touch()
    (folder / "folder.npz").mkdir()
    names = [
        "torchvision",
        "timm/resnet50",
        "timm/",
        "timm",
        "keras",
        "/dev/null",
        "/proc/self/mem",
    ]
    names += ["x" * 5000, "a\nb", "\ud800", "~", ".", "//", str(folder / "empty.npz")]
    names += [str(folder), str(folder / "folder.npz"), "https://example.org/resnet50.pth", "*.pth"]
    for name in names:
        outcome = refused_or_worked(load_weights, model, name)
        if outcome != REFUSED:
            raise Fault(f"loaded {name!r:.100}")
        found[outcome] += 1
    return found


# --- Changes of a random array.


def _of(make: Callable[[np.ndarray, random.Random], np.ndarray]) -> Callable[[State, Any], None]:
    def change(state: State, drawn: random.Random) -> None:
        key = drawn.choice(list(state))
        state[key] = make(state[key], drawn)

    return change


def _flat(array: np.ndarray, value: float) -> np.ndarray:
    changed = np.array(array, "float32").reshape(-1)
    changed[0] = value
    return changed.reshape(array.shape)


def _renamed(state: State, drawn: random.Random) -> None:
    key = drawn.choice(list(state))
    place = drawn.randrange(len(key))
    state[key[:place] + drawn.choice("01.x_/") + key[place + 1 :]] = state.pop(key)


def _dropped(state: State, drawn: random.Random) -> None:
    del state[drawn.choice(list(state))]


def _added(state: State, drawn: random.Random) -> None:
    key = drawn.choice(list(state))
    state[drawn.choice(["layer9.0.conv1.weight", f"{key}.0", f"x.{key}", "fc.scale"])] = state[key]


_CHANGES: dict[str, Callable[[State, random.Random], None]] = {
    "renamed": _renamed,
    "dropped": _dropped,
    "added": _added,
    "turned": _of(lambda array, _: array.T),
    "flat": _of(lambda array, _: array.reshape(-1)),
    "one more axis": _of(lambda array, _: array[..., None]),
    "one fewer": _of(lambda array, _: array[:-1] if array.ndim else array),
    "empty": _of(lambda array, _: array[:0] if array.ndim else array),
    "a number": _of(lambda _, drawn: np.float32(drawn.random())),
    "NaN": _of(lambda array, _: _flat(array, np.nan)),
    "infinite": _of(lambda array, _: _flat(array, -np.inf)),
    "of float64 too large": _of(lambda array, _: np.full(array.shape, 1e300)),
    "of float16": _of(lambda array, _: array.astype("float16")),
    "of float64": _of(lambda array, _: array.astype("float64")),
    "of integers": _of(lambda array, _: array.astype("int8")),
    "of bools": _of(lambda array, _: array > 0),
    "big-endian": _of(lambda array, _: array.astype(array.dtype.newbyteorder(">"))),
    "in Fortran order": _of(lambda array, _: np.asfortranarray(array)),
    "of 1,001 classes": lambda state, _: state.update(
        {"fc.weight": np.ones((1001, 128), "float32"), "fc.bias": np.ones(1001, "float32")}
    ),
    "of 4 channels": lambda state, _: state.update(
        {"conv1.weight": np.ones((64, 4, 7, 7), "float32")}
    ),
}
