"""The facts of a run: what its ``config.json`` holds, so that it can be resumed and used."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import checks
from keras_convnets.training import stored
from keras_convnets.training.recipe.moot import without_effect
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings

FORMAT = 4
"""The version of the file's format; files of the first versions had no number.

A field that a file of an earlier format lacks has its default, which means "as it was before": a
new field of the classes below, or of a recipe or settings, needs one.
"""


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """The model of a run.

    Attributes:
        name: its name.
        input_shape: ``(channels, rows, cols)`` of its images.
        num_outputs: the number of its outputs.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        parameters: the number of its parameters.
        statistics: the number of its weights that are no parameters; ``None`` in the files of early
            versions, which counted all as parameters.
    """

    name: str
    input_shape: tuple[int, int, int]
    num_outputs: int
    data_format: str
    parameters: int
    statistics: int | None

    def __post_init__(self) -> None:
        for number in self.input_shape:
            checks.positive_integer("input_shape", number, "the size of the images")
        checks.positive_integer("num_outputs", self.num_outputs, "the outputs of the model")
        checks.choice("data_format", self.data_format, ("channels_last", "channels_first"))
        for name in ("parameters", "statistics"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name}: received {getattr(self, name)}; expected 0 or more")


@dataclasses.dataclass(frozen=True)
class DataArguments:
    """The arguments of ``load_data`` that loaded the data of a run, except its preprocessing.

    The layout is how the folders of training and other images were recognised; see `loading`.
    """

    name: str
    seed: int
    validation_split: float
    image_size: int | tuple[int, int] | None
    channels: int | None
    data_dir: str | None
    strict: bool
    augmentation: str | None
    layout: int = 0


@dataclasses.dataclass(frozen=True)
class DataFacts:
    """The data of a run.

    Attributes:
        name: the name of the data set.
        train_images: the number of training images.
        validation_images: the number of validation images.
        test_images: the number of test images.
        class_names: the class names, by label.
        skipped: the files that were left out.
        augmentation: the augmentation of the training images.
        arguments: how to load them again; ``None`` for data from arrays.
        contents: the SHA-256 of the table that lists the images, or of some values of each array;
            ``None`` for others, and in files of early versions.
    """

    name: str
    train_images: int
    validation_images: int
    test_images: int
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    augmentation: str
    arguments: DataArguments | None
    contents: str | None = None

    def __post_init__(self) -> None:
        for name in ("train_images", "validation_images", "test_images"):
            checks.positive_integer(name, getattr(self, name), "the number of images")
        if not self.class_names:
            raise ValueError("class_names: received none; expected the names of the classes")


@dataclasses.dataclass(frozen=True)
class PreprocessingFacts:
    """The arguments of ``Preprocessing``, which needs TensorFlow."""

    channels: int
    rows: int
    cols: int
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str
    shorter_side: int | None
    interpolation: str
    pixels: tuple[float, float] | None = None
    order: str = "RGB"


@dataclasses.dataclass(frozen=True)
class RequestFacts:
    """What was asked for and cannot be seen from the rest: see ``RunRequest``.

    Attributes:
        load_paths: where the files of ``load`` were; empty in the files of earlier versions.
        strategy: ``Devices.strategy``.
        workers: ``Devices.workers``.
    """

    network: str | None
    weights: str | None
    fine_tune: str | None
    freeze_until: str | None
    precision: str | None
    load: tuple[str, ...]
    preprocessing: str | None = None
    one_output: bool = False
    load_paths: tuple[str, ...] = ()
    strategy: str = "auto"
    workers: str | None = None


@dataclasses.dataclass(frozen=True)
class WeightsFacts:
    """The weights that a run was started from.

    Attributes:
        name: the name under which they are published; ``None`` if unknown.
        source: whose names their arrays have, such as ``"torchvision"``.
        file: the name of the file.
        sha256: the SHA-256 of the file.
        anew: the layers that do not have them, as ``layer/variable``: the head of other classes.
    """

    name: str | None
    source: str
    file: str
    sha256: str
    anew: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class OutcomeFacts:
    """How a finished run ended.

    Attributes:
        epochs: the number of its epochs.
        test_accuracy: its accuracy on the test images.
        model: the SHA-256 of its trained model.
        stopped: why it ended before its last epoch; ``None`` if it did not.
        best_epoch: the number of the epoch whose model is kept as the best, from 1; ``None`` if
            none is.
        best: the SHA-256 of that model.
    """

    epochs: int
    test_accuracy: float | None
    model: str
    stopped: str | None = None
    best_epoch: int | None = None
    best: str | None = None


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """The facts of a run.

    Attributes:
        model: its model.
        data: its data.
        preprocessing: the preprocessing of its images.
        recipe: its recipe.
        settings: how it is carried out.
        versions: the versions of the packages it was started with.
        request: what was asked for; ``None`` for a run that was begun by ``train`` in Python.
        weights: the weights that it was started from; ``None`` for none of a file.
        outcome: how it ended; ``None`` before the end.
        id: a name of its own, which its checkpoints share; ``None`` in files without a format.
        start: the SHA-256 of the model before the first step; ``None`` in files without a format.
        format: the format of the file it was read from.
    """

    model: ModelFacts
    data: DataFacts
    preprocessing: PreprocessingFacts
    recipe: Recipe
    settings: Settings
    versions: dict[str, str]
    request: RequestFacts | None = None
    weights: WeightsFacts | None = None
    outcome: OutcomeFacts | None = None
    id: str | None = None
    start: str | None = None
    format: int = FORMAT

    def __post_init__(self) -> None:
        images = self.preprocessing
        shape = (images.channels, images.rows, images.cols)
        if shape != self.model.input_shape:
            raise ValueError(
                f"model.input_shape: received {self.model.input_shape}; expected {shape}, the size "
                "that the preprocessing makes"
            )
        outputs, classes = self.model.num_outputs, len(self.data.class_names)
        if outputs != classes and (outputs, classes) != (1, 2):  # one output for yes or no
            raise ValueError(
                f"data.class_names: received {classes} classes; expected {outputs}, the outputs of "
                "the model"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the contents of the file."""
        return stored.written(self)

    def shown(self) -> dict[str, Any]:
        """Return what a report shows: what is set, has an effect and is not for programs alone."""
        found = self.to_dict()
        for name in ("id", "start", "format", "outcome"):
            found.pop(name, None)
        for name in without_effect(vars(self.recipe)):
            del found["recipe"][name]
        if arguments := found["data"]["arguments"]:
            del arguments["layout"]
        for title, part in found.items():
            if isinstance(part, dict):
                found[title] = {name: value for name, value in part.items() if _is_set(value)}
        return {title: part for title, part in found.items() if _is_set(part)}


def _is_set(value: Any) -> bool:
    return value is not None and value not in ({}, [], ())
