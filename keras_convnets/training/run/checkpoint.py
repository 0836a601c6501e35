"""The checkpoint of a run: one file from which the run resumes as if it had never stopped."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import files
from keras_convnets.errors import RunStopped
from keras_convnets.readers.damage import damage, opened
from keras_convnets.readers.npz import read_npz
from keras_convnets.training import run_folder, stored
from keras_convnets.training.run import config_file
from keras_convnets.training.run.length import Length

FORMAT = 1
"""The version of the position's format; it had no number in the versions before it."""

_POSITION = "position"


@dataclasses.dataclass(frozen=True)
class Position:
    """The position of a run and its history.

    Attributes:
        epoch: the number of finished epochs.
        step: the number of steps taken in the current epoch. The data are a function of seed, epoch
            and step, so this is also the position in the data.
        history: a list of values for each column, one for each finished epoch.
        seconds: the time taken by the steps of the unfinished epoch.
        run: the name of the run, which its `RunConfig` has too; ``None`` for a run of a version
            whose files had no format number.
        stopped: whether a callback has ended the run.
    """

    epoch: int
    step: int
    history: dict[str, list[float]]
    seconds: float = 0.0
    run: str | None = None
    stopped: bool = False


def write(file: Path, arrays: Mapping[str, np.ndarray], position: Position) -> None:
    """Write a checkpoint: the values of variables, from `values_of`, and the position of the run.

    The file replaces the previous one only once it is completely on disk.

    Raises:
        RunStopped: a value is not finite; the previous file is kept.
        NotWritten: the file cannot be written; the previous file is kept.
    """
    _check_finite(arrays, file)
    with files.replacing(file) as path, path.open("wb") as stream:
        stored: dict[str, Any] = {_POSITION: _encoded(position), **arrays}
        np.savez(stream, **stored)
        stream.flush()
        os.fsync(stream.fileno())


def read(file: Path) -> tuple[dict[str, np.ndarray], Position]:
    """Return the values and the position in a checkpoint.

    Raises:
        ValueError: the file does not exist or is not a checkpoint.
    """
    try:
        with opened(file) as stream, damage():
            arrays = read_npz(stream)
            position = arrays.pop(_POSITION).tobytes()
        return arrays, _decoded(position)
    except FileNotFoundError:
        raise ValueError(
            f"resume: there is no {str(file)!r}; expected the folder of a run. Name one that "
            "keras-convnets train has made."
        ) from None
    except config_file.NewerFormatError as error:
        raise config_file.unusable(file, error) from error
    except ValueError as error:
        raise ValueError(
            f"resume: cannot read {str(file)!r} ({error}); expected a checkpoint of this version "
            "of keras_convnets."
        ) from error


def restore(arrays: Mapping[str, np.ndarray], variables: Sequence[Any]) -> None:
    """Set variables to the values in a checkpoint.

    Raises:
        ValueError: the checkpoint belongs to a different model or optimizer.
    """
    stored = [(array.shape, str(array.dtype)) for array in arrays.values()]
    expected = [(tuple(variable.shape), str(variable.dtype)) for variable in variables]
    if stored != expected:
        raise ValueError(
            f"resume: the checkpoint holds {len(stored)} values that are not those of this model "
            f"and optimizer, which have {len(expected)}; expected a checkpoint of the same run. "
            "Start a new run instead."
        )
    for variable, array in zip(variables, arrays.values(), strict=True):
        variable.assign(array)


def values_of(variables: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return the values of variables by index and path, in order.

    Variables of which several machines each hold a part are summed, so all machines must call this.
    """
    return {
        f"{number:05d} {variable.path}": tf.convert_to_tensor(variable.value).numpy()
        for number, variable in enumerate(variables)
    }


def check_position(file: Path, position: Position, run: str | None, length: Length) -> None:
    """Refuse a checkpoint whose position is none of a run.

    Args:
        file: the file of the checkpoint.
        position: the position in it.
        run: the name of the run.
        length: how long it is.
    """
    wrong = None
    if position.run != run:
        wrong = "it belongs to another run"
    elif not 0 <= position.epoch <= length.epochs:
        wrong = f"it is of epoch {position.epoch + 1:,} of {length.epochs:,}"
    elif not 0 <= position.step < max(length.steps_in(position.epoch), 1):
        wrong = f"epoch {position.epoch + 1:,} has no step {position.step:,}"
    elif tuple(position.history) != run_folder.COLUMNS or any(
        len(values) != position.epoch for values in position.history.values()
    ):
        wrong = "its history does not match its epochs"
    elif not 0 <= position.seconds < math.inf:  # NaN is neither
        wrong = f"its epoch has taken {position.seconds:g} seconds"
    if wrong is not None:
        raise ValueError(
            f"resume: cannot use {str(file)!r}: {wrong}; expected the last checkpoint of this "
            "run. Put back a copy of the file, or start a new run."
        )


def _check_finite(arrays: Mapping[str, np.ndarray], file: Path) -> None:
    for name, array in arrays.items():
        if not np.all(np.isfinite(array)):
            raise RunStopped(
                f"{name.split(' ', 1)[1]} holds values that are not finite. The last checkpoint, "
                f"{file}, is from before. Train with a lower learning rate."
            )


def _encoded(position: Position) -> np.ndarray:
    text = json.dumps({"format": FORMAT} | dataclasses.asdict(position))
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _decoded(text: bytes) -> Position:
    found = stored.parse(text, finite=False)
    config_file.check_format(found, FORMAT)
    found.pop("format", None)
    position = stored.read(Position, {"seconds": 0.0, "run": None, "stopped": False} | found)
    lengths = {len(column) for column in position.history.values()} | {position.epoch}
    if min(position.epoch, position.step) < 0 or len(lengths) > 1:
        raise ValueError("its history does not agree with its epoch")
    return position
