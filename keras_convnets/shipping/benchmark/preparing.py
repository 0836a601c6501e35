"""A model in each engine that is to be measured, exported where the engine runs files."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets import axes, memory
from keras_convnets._version import __version__
from keras_convnets.analysis.cost.cost import cost
from keras_convnets.analysis.cost.least_memory import of_answers
from keras_convnets.graph.input_shapes import input_shapes
from keras_convnets.inference.classifier import check_graph
from keras_convnets.received import line, shown
from keras_convnets.saved_models import without_optimizer
from keras_convnets.shipping.benchmark.contender import Contender, Taken
from keras_convnets.shipping.benchmark.keras_ways import function_of
from keras_convnets.shipping.benchmark.result import LeftOut
from keras_convnets.shipping.benchmark.ways import FOLDED, Way
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import Kind, check_installed
from keras_convnets.shipping.engines.metadata import embed
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.float32 import in_float32
from keras_convnets.shipping.export.graph import Graph, graph_of
from keras_convnets.shipping.export.writers import write
from keras_convnets.shipping.folding.fold import fold
from keras_convnets.shipping.precision.half_model import in_precision_of

_CALIBRATION = 16  # images


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is to be measured.

    Attributes:
        ways: the ways to run models.
        precisions: those that models are exported in.
        batches: the numbers of images.
        input_shape: ``(channels, rows, cols)`` of the images, where a model leaves sizes open.
        threads: how many each engine may use.
        folder: where files are written.
        tell: is told what is being done.
    """

    ways: tuple[Way, ...]
    precisions: tuple[str, ...]
    batches: tuple[int, ...]
    input_shape: Sequence[int] | None
    threads: int
    folder: Path
    tell: Callable[[str], None]

    def within(self, name: str) -> Wanted:
        """Return the same with a folder within the folder, which is made."""
        folder = self.folder / name
        folder.mkdir()
        return dataclasses.replace(self, folder=folder)


@dataclasses.dataclass
class Prepared:
    """Engines that are ready, those that cannot run a model, and what else is to be said."""

    contenders: list[Contender] = dataclasses.field(default_factory=list)
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def add(self, others: Prepared) -> None:
        """Add what is prepared of another model."""
        self.contenders += others.contenders
        self.left_out += others.left_out
        self.notes += [note for note in others.notes if note not in self.notes]

    def leave_out(self, contender: Contender, reason: str) -> None:
        """Leave out one that was ready."""
        self.contenders.remove(contender)
        one = LeftOut(contender.model, contender.way.name, contender.precision, reason)
        self.left_out.append(one)


def why(error: Exception) -> str:
    """Return the reason of an error in one line."""
    if memory.is_exhausted(error):
        return f"out of memory ({memory.words(error)})"
    said = line(str(error)) or "it gives no reason"
    return said if isinstance(error, ValueError) else f"{type(error).__name__}: {said}"


def of_model(name: str, model: Any, wanted: Wanted) -> Prepared:
    """Return a model in each of the ways.

    Raises:
        ValueError: it is no classifier of images, or leaves sizes open that no input shape says.
    """
    maker, prepared = _Maker(name, model, wanted), Prepared()
    for way in wanted.ways:
        for precision in (maker.policy,) if way.kind is None else wanted.precisions:
            wanted.tell(f"{name}: preparing {way.title}")
            try:
                prepared.contenders.append(maker.contender(way, precision))
            except Exception as error:  # each converter and each runtime has its own
                prepared.left_out.append(LeftOut(name, way.name, precision, why(error)))
    if "int8" in wanted.precisions:
        prepared.notes.append("int8 is calibrated by noise: its outputs say nothing of a network.")
    return prepared


class _Maker:
    """Makes the contenders of one model; what several of them need is made once.

    Attributes:
        policy: the dtype policy by which Keras computes the model.
    """

    def __init__(self, name: str, model: Any, wanted: Wanted) -> None:
        _check_classifies(name, model)
        data_format = axes.format_of(model)
        (shape,) = input_shapes(model, wanted.input_shape, data_format)
        channels, rows, cols = axes.in_papers_order((None, *shape), data_format)
        if channels is None or rows is None or cols is None:
            raise ValueError(
                f"input_shape: received none with {shown(name)}, which leaves sizes open "
                f"({shown(shape)}); expected all. Pass ({channels or 3}, 224, 224), for instance."
            )
        self.policy = model.dtype_policy.name
        self._name, self._model, self._wanted = name, model, wanted
        self._taken = Taken((rows, cols, channels), "float32", data_format == "channels_last")
        self._made: dict[str, Any] = {}
        needed = 0
        with contextlib.suppress(ValueError):  # the cost of this model is not known
            needed = of_answers(cost(model, (channels, rows, cols)), max(wanted.batches))
        check_memory(self._taken, wanted, needed)

    def contender(self, way: Way, precision: str) -> Contender:
        """Return the model in one of the ways."""
        return self._of_keras(way) if way.kind is None else self._of_file(way, way.kind, precision)

    def _once(self, what: str, make: Callable[[], Any]) -> Any:
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]

    def _folded(self) -> Any:
        return self._once("folded model", lambda: fold(self._model))

    def _of_keras(self, way: Way) -> Contender:
        model = self._folded() if way is FOLDED else self._model
        path = self._wanted.folder / f"{'folded' if way is FOLDED else 'model'}.keras"

        def save() -> Path:
            without_optimizer(model).save(path)
            return path

        run = function_of(model, way)
        saved = self._once(path.name, save)
        return Contender(self._name, way, self.policy, run, self._taken, saved, self._name)

    def _of_file(self, way: Way, kind: Kind, precision: str) -> Contender:
        if precision not in kind.precisions:
            raise ValueError(f"it has no {precision}; expected {', '.join(kind.precisions)}")
        check_installed(kind, True, precision)
        graph = self._graph(kind, precision)
        taken = dataclasses.replace(self._taken, channels_last=graph.channels_last)
        path = self._wanted.folder / f"{kind.name}-{precision}{kind.suffix}"
        images = taken.batch(_CALIBRATION) if precision == "int8" else None
        calibration = None if images is None else [image[None] for image in images]
        write(kind, graph, path, precision, calibration)
        embed(kind, path, self._about(taken, precision))
        run = open_engine(path, threads_of(kind, self._wanted.threads)).run
        return Contender(self._name, way, precision, run, taken, path, self._name)

    def _graph(self, kind: Kind, precision: str) -> Graph:
        """Return what a file is written of, as `export` does."""
        exact = self._once("model to export", self._exact)
        model = in_precision_of(kind, exact, precision)
        graph: Graph = (
            self._once("graph", lambda: graph_of(exact)) if model is exact else graph_of(model)
        )
        return graph

    def _exact(self) -> Any:
        """Return the folded model in float32, also of one in mixed precision."""
        model = in_float32(self._model)
        return self._folded() if model is self._model else fold(model)

    def _about(self, taken: Taken, precision: str) -> About:
        """Return what the runtime needs to know of a file: its precision."""
        return About(
            network=self._model.name,
            package=f"keras_convnets {__version__}",
            input_shape=taken.input_shape,
            channels_last=taken.channels_last,
            input_dtype=taken.dtype,
            has_preprocessing=False,
            preprocessing=None,
            class_names=(),
            outputs="linear",
            precision=precision,
        )


def check_memory(taken: Taken, wanted: Wanted, more: int = 0) -> None:
    """Refuse batches that cannot fit into memory.

    Args:
        taken: the batches.
        wanted: what is to be measured.
        more: the bytes that the largest batch takes beside its images.

    Raises:
        OutOfMemoryError: they do not fit.
    """
    images = max(wanted.batches)
    needed = images * math.prod(taken.image) * np.dtype(taken.dtype).itemsize
    asked = f"a batch of {images:,} images of {' x '.join(map(str, taken.image))}"
    memory.check(needed + more, asked, "Pass fewer images")


def threads_of(kind: Kind, threads: int) -> int | None:
    """Return the threads that a runtime is told; TensorFlow knows them already."""
    return None if "tensorflow" in kind.modules else threads


def _check_classifies(name: str, model: Any) -> None:
    check_graph(model)
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    if [len(shape) for shape in shapes] != [4, 2]:
        raise ValueError(
            f"models: received {shown(name)} with inputs and outputs of {shown(shapes)}; expected "
            "one input of images and one output, (images, classes). Pass a classifier."
        )
