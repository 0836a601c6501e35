"""What an exported file says of itself: enough to use it without the package that wrote it."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import typed

Shape = tuple[int, int | None, int | None]


@dataclasses.dataclass(frozen=True)
class About:
    """The description in an exported file.

    Attributes:
        network: the name of the network.
        package: the name and version of this package.
        input_shape: ``(channels, rows, cols)`` that the network takes; ``None`` where any size
            fits.
        channels_last: whether the axis of the channels of the file's input is the last.
        input_dtype: ``"float32"``, or ``"uint8"`` with the preprocessing inside.
        has_preprocessing: whether images are resized and scaled inside.
        preprocessing: the configuration of the `Preprocessing` of its images, which is inside or
            has to be done before; ``None`` if it is not known.
        class_names: the names of the classes, by label; empty if they are not known.
        outputs: ``"softmax"`` or ``"sigmoid"``: what the numbers are; ``"linear"`` if they are no
            probabilities.
        precision: the precision of the weights.
        weights: the name of the published weights, if there are any.
        fingerprint: a digest of the model's weights, the same for all exports of one model.
        folded: how many batch normalisations are folded into other layers.
        normalisations: how many there were.
        proof: the comparison with the model; empty until it has been made.
        extra: what is added to these by others, such as speeds that were measured.

    Raises:
        ValueError: a field is of another kind.
    """

    network: str
    package: str
    input_shape: Shape
    channels_last: bool
    input_dtype: str
    has_preprocessing: bool
    preprocessing: dict[str, Any] | None
    class_names: tuple[str, ...]
    outputs: str
    precision: str
    weights: str | None = None
    fingerprint: str = ""
    folded: int = 0
    normalisations: int = 0
    proof: dict[str, Any] = dataclasses.field(default_factory=dict)
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        typed.fields(self)
        for name in ("input_shape", "class_names"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
