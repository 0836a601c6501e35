"""Which array of a file is which weight of a model: what placing returns, and transfer assigns."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Value:
    """The value of a weight.

    Attributes:
        array: the value with the axes of Keras: kernels (rows, cols, in, out).
        key: its name in the file.
    """

    array: np.ndarray
    key: str


@dataclasses.dataclass(frozen=True, eq=False)
class Placement:
    """The arrays of a file as weights of a model.

    Attributes:
        source: ``"torchvision"``, ``"timm"``, ``"keras"``, ``"caffe"``, or ``"keras_convnets"``.
        values: the values by ``layer/variable``, such as ``conv1_conv/kernel``; the layer's name
            has no scope. They have the shapes of the file, not yet those of the model.
        left_out: the names in the file that the model has no use for, each with the reason.
        unexplained: the names in the file that no rule explains.
        missing: the weights of the model that the file lacks, as ``layer/variable``.
        sought: the names that such weights would have in the file, as far as they are known.
        bgr: whether the network in the file takes images of blue, green, red.
        notes: remarks for the report, such as that scales were folded into the convolutions.
    """

    source: str
    values: dict[str, Value]
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    unexplained: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sought: dict[str, str] = dataclasses.field(default_factory=dict)
    bgr: bool = False
    notes: tuple[str, ...] = ()
