"""Statistics of activations: their mean and spread, how many are zero, and which units are dead."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras_convnets import memory
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.explaining.batch_of import batch_of, check_model, parts_of
from keras_convnets.explaining.forward import Hooks, Place, forward, place_of
from keras_convnets.explaining.scores import to_numpy, to_tensor
from keras_convnets.graph.calls import Call
from keras_convnets.graph.stages import placed_layers
from keras_convnets.graph.topology import ancestors
from keras_convnets.graph.walk import output_tensors
from keras_convnets.inference.activations import RECTIFIED, activation_of
from keras_convnets.inference.every_output import main_output
from keras_convnets.typed import typed

_BATCH = 32
_CONVENTION = (
    "Measured after each ReLU of a stage, or after its last layer if it has none. A unit is a "
    "channel after a ReLU; it is dead if it is zero at every place of every image."
)
_COLUMNS = (
    Column("stage", "stage"),
    Column("measured", "measured"),
    Column("mean", "mean", is_number=True),
    Column("std", "std", is_number=True),
    Column("zeros", "zeros", is_number=True),
    Column("units", "units", is_number=True, missing="-"),
    Column("dead", "dead", is_number=True, missing="-"),
)


@dataclasses.dataclass(frozen=True)
class StageStatistics:
    """The statistics of a stage's activations.

    Attributes:
        stage: the name of the stage.
        layers: the names of the layers after which activations were measured.
        mean: the mean of the activations.
        std: their standard deviation.
        zeros: the share of them that is exactly zero.
        units: the number of channels after ReLUs; ``None`` if the stage has no ReLU.
        dead: the channels that were zero for every image, by layer; ``None`` in the same case.
    """

    stage: str
    layers: tuple[str, ...]
    mean: float
    std: float
    zeros: float
    units: int | None
    dead: dict[str, tuple[int, ...]] | None

    @property
    def dead_units(self) -> int | None:
        """The number of dead units; ``None`` if the stage has no ReLU."""
        return None if self.dead is None else sum(map(len, self.dead.values()))

    def _row(self) -> tuple[Any, ...]:
        relus = f"{len(self.layers)} ReLU{'s' if len(self.layers) > 1 else ''}"
        where = self.layers[0] if self.dead is None else relus
        numbers = (float(f"{one:.4g}") for one in (self.mean, self.std, self.zeros))
        return (self.stage, where, *numbers, self.units, self.dead_units)


@dataclasses.dataclass(frozen=True, repr=False)
class ActivationStatistics(OnlyTabled):
    """The statistics of a model's activations, a row for each stage.

    Attributes:
        stages: the statistics of the stages, in the order of computation.
        images: the number of images over which they were taken.
    """

    stages: tuple[StageStatistics, ...]
    images: int

    @property
    def dead_units(self) -> int:
        """The number of dead units of the model."""
        return sum(stage.dead_units or 0 for stage in self.stages)

    @property
    def units(self) -> int:
        """The number of channels after ReLUs."""
        return sum(stage.units or 0 for stage in self.stages)

    def table(self) -> Table:
        """Return the table."""
        total = ("total", *(None,) * 4, self.units, self.dead_units)
        images = "one image" if self.images == 1 else f"{self.images:,} images"
        rows = tuple(stage._row() for stage in self.stages)
        return Table(_COLUMNS, rows, (f"Over {images}. {_CONVENTION}",), total)


@typed
def activation_statistics(model: Any, images: Any) -> ActivationStatistics:
    """Return statistics of a model's activations by stage, and its dead units, in inference.

    A unit that is zero for all of a few images may still respond to others: with more images, fewer
    are found dead. A unit that is dead for the training images learns no more, because no gradient
    passes it.

    Args:
        model: a functional model or a built ``Sequential`` that takes images, in either data
            format.
        images: the images as the model takes them: prepared floats, `(images, rows, cols,
            channels)`, or channels first.

    Returns:
        The statistics; printed, they are a table.

    Raises:
        ValueError: the model is not functional, the images are not as it takes them, or its
            activations are not finite.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import activation_statistics, create_model
        >>> model = create_model("cifar_plain_20")
        >>> found = activation_statistics(model, np.zeros((2, 32, 32, 3), "float32"))
        >>> [(stage.stage, stage.units) for stage in found.stages]
        [('conv1', 16), ('conv2', 96), ('conv3', 192), ('conv4', 384), ('head', None)]
        >>> found.stages[0].zeros  # a black image: nothing passes the first ReLU
        1.0
    """
    check_model(model)
    batch = batch_of(model, images)
    stages = _measured(model)
    calls = {place_of(call): call for chosen in stages.values() for call in chosen}
    counts = {place: _Count(call) for place, call in calls.items()}
    main = main_output(model)
    with memory.explained("the statistics of your images", "Give fewer images"):
        for part in parts_of(len(batch), _BATCH):
            forward(main, to_tensor(batch[part]), _Counting(counts))
    found = (
        _of_stage(stage, [counts[place_of(call)] for call in chosen])
        for stage, chosen in stages.items()
    )
    return ActivationStatistics(tuple(found), len(batch))


def _measured(model: Any) -> dict[str, list[Call]]:
    """Return the calls to measure in each stage: its ReLUs, or else its last layer."""
    stages: dict[str, list[Call]] = {}
    end = output_tensors(model)[0].source
    main = {place_of(call) for call in ancestors([end]) if not call.is_input}
    for one in placed_layers(model):
        if len(one.call.outputs) == 1 and place_of(one.call) in main:
            stages.setdefault(one.stage, []).append(one.call)
    return {
        stage: [call for call in calls if _is_rectified(call)] or calls[-1:]
        for stage, calls in stages.items()
    }


def _is_rectified(call: Call) -> bool:
    activated = activation_of(call.layer)
    return activated is not None and activated.kind == RECTIFIED


class _Count:
    """What is summed up of the output of a call, batch by batch."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.count, self.zeros = 0, 0
        self.sum, self.squares = 0.0, 0.0
        self.responded: np.ndarray = np.zeros(0, bool)

    def add(self, output: np.ndarray) -> None:
        if not np.isfinite(output).all():
            raise ValueError(
                f"model: the activations of {self.call.name} have NaN or infinity; expected "
                "numbers. Look for them in the model's weights."
            )
        axis = 1 if output.ndim > 2 and self.call.data_format == "channels_first" else -1
        by_channel = np.moveaxis(output, axis, 0).reshape(output.shape[axis], -1)
        responded = np.abs(by_channel).max(axis=1) > 0
        self.responded = responded if not self.count else self.responded | responded
        self.count += output.size
        self.zeros += output.size - int(np.count_nonzero(output))
        self.sum += float(output.sum(dtype=np.float64))
        self.squares += float(np.square(output, dtype=np.float64).sum())


@dataclasses.dataclass(frozen=True)
class _Counting(Hooks):
    counts: dict[Place, _Count]

    def output(self, place: Place, layer: Any, output: Any) -> Any:
        if place in self.counts:
            self.counts[place].add(to_numpy(output))
        return output


def _of_stage(stage: str, counts: list[_Count]) -> StageStatistics:
    total = sum(one.count for one in counts)
    mean = sum(one.sum for one in counts) / total
    variance = sum(one.squares for one in counts) / total - mean**2
    has_relu = _is_rectified(counts[0].call)
    dead = {one.call.name: tuple(np.flatnonzero(~one.responded).tolist()) for one in counts}
    return StageStatistics(
        stage,
        tuple(one.call.name for one in counts),
        mean,
        max(variance, 0.0) ** 0.5,
        sum(one.zeros for one in counts) / total,
        sum(len(one.responded) for one in counts) if has_relu else None,
        {name: channels for name, channels in dead.items() if channels} if has_relu else None,
    )
