"""What a weight file contains, whatever its format: arrays by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class NamedArrays:
    """The arrays of a weight file.

    Attributes:
        arrays: the arrays by name, in the order of the file, as they are in it: PyTorch's and
            ONNX's with the axes of these. Names have no prefix such as ``module.``. The arrays of
            Keras files are called ``layer/0``, ``layer/1`` in the order in which the file has them.
        kind: the format in words, such as ``"torch zip"``, ``"torch legacy"``, ``"safetensors"``,
            ``"keras hdf5"`` (the weights or the model of Keras 2), ``"keras weights"``
            (``.weights.h5``), ``"keras model"`` (``.keras``), ``"onnx"`` or ``"npz"``.
        taken: where in the file they were, in words, if it has more: ``"state_dict_ema; also there:
            state_dict, optimizer"``; empty if they are all that the file has.
        prefix: the prefix that was removed from their names, such as ``"module."``.
        metadata: the texts by name that a file of safetensors has beside them.
        config: the configuration of the model in a ``.keras`` file.
        operations: the kinds of the operations of an ONNX file's graph, in its order.
    """

    arrays: Mapping[str, np.ndarray]
    kind: str
    taken: str = ""
    prefix: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    operations: tuple[str, ...] = ()
    config: object = None
