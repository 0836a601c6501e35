"""The data of a run, loaded again, or other data prepared and split in the same way."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training import run_folder
from keras_convnets.training.data.arguments import anywhere, folder_of, refuse_moot
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import load_again
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_config import RunConfig

_KEPT = ("seed", "validation_split")  # arguments of the run that also apply to other data
_NAMED = 5  # classes named in an error


def load_run_data(
    folder: Path,
    config: RunConfig,
    name: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    remedy: str = "Name them with --data; in Python, pass your own to evaluate().",
) -> Data:
    """Load the data that a run was started with, or other data, with the run's preprocessing.

    Args:
        folder: the folder of the run.
        config: its configuration.
        name: the name of other data, as in `load_data`; by default the run's own.
        data_dir: the folder of the data files, if it is not that of the run.
        remedy: what to do about data without a name, for the error.

    Raises:
        ValueError: the run's data have no name, or `load_data` raises it.
    """
    loaded_by = config.data.arguments
    arguments = {} if loaded_by is None else dataclasses.asdict(loaded_by)
    if name is None and not arguments:
        raise ValueError(
            f"data: the run in {str(folder)!r} was begun in Python with data of its own; expected "
            f"the name of some. {remedy}"
        )
    are_own = name is None or is_own(config, name)
    if not are_own:
        arguments = {key: arguments[key] for key in _KEPT if key in arguments} | {"name": name}
    if data_dir is not None:
        arguments["data_dir"] = folder_of(data_dir)
        refuse_moot(arguments["name"], data_dir, False)
    return load_again(arguments, preprocessing_of(folder, config), are_own)


def is_own(config: RunConfig, name: str) -> bool:
    """Return whether a name, which may be spelt in another way, is that of the data of a run."""
    own = config.data.arguments
    return own is not None and is_same(name, own.name)


def is_same(name: str, other: str) -> bool:
    """Return whether two names of data are of the same, however their paths are spelt."""
    return _place(name) == _place(other)


def changed(config: RunConfig, data: Data) -> tuple[str, ...]:
    """Return a line if the data of a run have changed since it began, so far as counts tell."""
    then = config.data.train_images, config.data.test_images
    now = len(data.train), len(data.test)
    if now == then:
        return ()
    words = (f"{train:,} training and {test:,} test images" for train, test in (then, now))
    what = f"{data.name} has changed since the run began, from {' to '.join(words)}"
    return (f"{what}: it may have been trained on some of these",)


def _place(name: str) -> str:
    kind, _, path = anywhere(name).partition(":")
    return f"{kind}:{os.path.realpath(path)}" if kind == "folder" and "\0" not in path else name


def preprocessing_of(folder: Path, config: RunConfig) -> Preprocessing:
    """Return the preprocessing of a run's images; refuse a configuration of none."""
    try:
        return Preprocessing(**dataclasses.asdict(config.preprocessing))
    except ValueError as error:
        file = folder / run_folder.CONFIG
        raise config_file.unusable(file, ValueError(f"preprocessing: {error}")) from error


def check_classes(folder: Path, model: str, class_names: Sequence[str], data: Data) -> None:
    """Refuse data with different classes from the run's: labels would mean different things.

    Args:
        folder: the folder of the run.
        model: the name of its model.
        class_names: the run's class names, by label.
        data: the other data.
    """
    if len(data.class_names) != len(class_names):
        unknown = [name for name in data.class_names if name not in class_names]
        none = f", and {unknown[0]!r} is none of them" if unknown else ""
        raise ValueError(
            f"data: {data.name} has {len(data.class_names)} classes; expected "
            f"{len(class_names)}, as {model} in {str(folder)!r} was trained on{none}. "
            "Name data of the same classes."
        )
    pairs = zip(class_names, data.class_names, strict=True)
    other = [f"{theirs!r} for {ours!r}" for ours, theirs in pairs if ours != theirs]
    if other:
        more = f" and {len(other) - _NAMED:,} more" if len(other) > _NAMED else ""
        raise ValueError(
            f"data: {data.name} has the classes {', '.join(other[:_NAMED])}{more}; expected those "
            f"of the run in {str(folder)!r}, in their order. Name data of the same classes."
        )
