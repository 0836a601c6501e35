"""What a model card says, as data; only what is known is in it."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import received, typed
from keras_convnets.shipping.engines.about import Shape

Lines = tuple[tuple[str, str], ...]
"""Pairs of a title and what it says."""

Large = Any
"""An integer that may be beyond those that `typed.fields` takes: it is checked by itself."""


def _check_large(name: str, value: Any) -> None:
    if value is not None and received.integer(value) is None:
        raise ValueError(
            f"{name}: received {received.shown(value)}; expected an integer. Pass one."
        )


@dataclasses.dataclass(frozen=True)
class Speed:
    """How fast an export was on a machine.

    Attributes:
        batch: how many images it took at once.
        median: the median of the seconds that a batch took.
        p95: the 95th percentile of these seconds.
        machine: the processor and the threads.
    """

    batch: int
    median: float
    p95: float
    machine: str

    def __post_init__(self) -> None:
        typed.fields(self)


@dataclasses.dataclass(frozen=True)
class Export:
    """An exported file of the model.

    Attributes:
        file: its name, in the folder of the card; ``"."`` for the SavedModel that is the folder.
        kind: ``"saved_model"``, ``"onnx"``, ``"litert"`` or ``"openvino"``.
        runtime: what opened it, with its version if that is known.
        bytes: its size, with the files that belong to it.
        precision: that of its weights.
        has_preprocessing: whether it prepares images itself.
        input_dtype: the type of its input.
        channels_last: whether the axis of the channels of its input is the last.
        folded: how many batch normalisations are folded.
        package: the name and version of the package that wrote it.
        proof: its comparison with the model; empty if there was none.
        speeds: what a benchmark has measured.
    """

    file: str
    kind: str
    runtime: str
    bytes: Large
    precision: str
    has_preprocessing: bool
    input_dtype: str
    channels_last: bool
    folded: int
    package: str
    proof: dict[str, Any] = dataclasses.field(default_factory=dict)
    speeds: tuple[Speed, ...] = ()

    def __post_init__(self) -> None:
        typed.fields(self)
        _check_large("bytes", self.bytes)


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of a model.

    Attributes:
        network: the name of the network.
        fingerprint: the digest of its weights.
        input_shape: ``(channels, rows, cols)`` that it takes, ``None`` where any size fits.
        outputs: ``"softmax"``, ``"sigmoid"`` or ``"linear"``.
        classes: how many there are.
        class_names: their names, by label; empty if they are not known.
        preprocessing: the configuration of its ``Preprocessing``; ``None`` if it is not known.
        parameters: how many it has, without the statistics of batch normalisations where they
            can be told apart.
        multiply_adds: those of one image; ``None`` if they cannot be counted.
        normalisations: how many batch normalisations it has.
        source: the paper or the implementation that the network follows; ``None`` if not known.
        weights: the name of its published weights; ``None`` if there are none.
        licence: that of the published weights; ``None`` if it is not known.
        training: how it was trained, in words; empty if that is not known.
        metrics: those of the test images, as in ``metrics.json``; empty if there are none.
        versions: of the packages that made it.
        exports: the files that lie beside the card.
        is_binary: whether there is one output, for the second of two classes.
    """

    network: str
    fingerprint: str
    input_shape: Shape
    outputs: str
    classes: int
    class_names: tuple[str, ...] = ()
    preprocessing: dict[str, Any] | None = None
    parameters: Large = 0
    multiply_adds: Large | None = None
    normalisations: int = 0
    source: str | None = None
    weights: str | None = None
    licence: str | None = None
    training: Lines = ()
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)
    versions: Lines = ()
    exports: tuple[Export, ...] = ()
    is_binary: bool = False

    def __post_init__(self) -> None:
        typed.fields(self)
        _check_large("parameters", self.parameters)
        _check_large("multiply_adds", self.multiply_adds)
        for name in ("input_shape", "class_names"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
