"""Kernels: what the channels of a convolution look for."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_convnets import checks
from keras_convnets.explaining.batch_of import check_has_values
from keras_convnets.explaining.inside import kernels_figure
from keras_convnets.explaining.shown_results import Drawn
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import KERNELS, LayerType
from keras_convnets.graph.stages import Placed, column_of, placed_layers
from keras_convnets.received import shown
from keras_convnets.typed import typed


@dataclasses.dataclass(frozen=True, eq=False)
class Kernels(Drawn):
    """The kernels of a convolution.

    Attributes:
        layer: the name of the layer.
        weights: the kernels, float32, `(output channels, input channels, rows, cols)`: of a grouped
            convolution the input channels of a group, of a depthwise one a single one, and of a
            separable one those of the convolution that it computes.
    """

    layer: str
    weights: np.ndarray = dataclasses.field(repr=False)

    @property
    def norms(self) -> np.ndarray:
        """The L2 norm of each kernel, `(output channels, input channels)`."""
        return np.sqrt((self.weights.astype(np.float64) ** 2).sum(axis=(2, 3)))

    @typed
    def figure(self, output: int | None = None) -> Figure:
        """Return the figure.

        Kernels of three input channels are tiles in colour, as in a first layer: each is scaled by
        its own largest weight, and mid-grey is zero. Kernels of one are tiles of one colour scale.
        Of more, the figure has their norms, output channels by input channels.

        Args:
            output: an output channel, to draw its kernels instead, a tile for each input channel.

        Raises:
            ValueError: there is no such channel.
        """
        count = len(self.weights)
        if output is not None and not 0 <= output < count:
            raise ValueError(
                f"output: received {output}; expected 0 to {count - 1}, as {self.layer} has "
                f"{count} output channels. Name one of them."
            )
        return kernels_figure.figure(self.layer, self.weights, self.norms, output)


@typed
def kernels(model: Any, layer: str | None = None) -> Kernels:
    """Return the kernels of a convolution, for any functional model.

    Args:
        model: a functional model or a built ``Sequential``, in either data format.
        layer: the name of a convolution, or of a stage or block, whose first convolution is taken;
            the names of nested models around it may be left out if the rest is unique. By default,
            the first convolution of the model.

    Returns:
        The weights as an array, with a figure.

    Raises:
        ValueError: the model is not functional or has no such layer, or it is no 2D convolution.

    Examples:
        >>> from keras_convnets import create_model, kernels
        >>> found = kernels(create_model("lenet_5"))
        >>> found.layer, found.weights.shape
        ('conv1_conv', (6, 1, 5, 5))
        >>> found.plot("kernels.png")
    """
    placed = placed_layers(model)
    check_has_values(model)
    one = _first(model, placed, layer)
    return Kernels(one.name, _weights(one.call))


def _first(model: Any, placed: list[Placed], wanted: str | None) -> Placed:
    members = placed
    if wanted is not None:
        name, column = column_of(placed, wanted, "layer")
        members = [one for one, its in zip(placed, column, strict=True) if its == name]
    found = next((one for one in members if _is_convolution(one.call)), None)
    if found is None:
        known = [one.name for one in placed if _is_convolution(one.call)]
        what = f"{shown(wanted)}, which has none" if wanted is not None else model.name
        raise ValueError(
            f"layer: received {what}; expected a 2D convolution"
            + (f", such as {known[0]!r}.{checks.did_you_mean(wanted, known)}" if known else ".")
            + " Name one of a convolutional network."
        )
    return found


def _is_convolution(call: Call) -> bool:
    return call.type in KERNELS and len(call.shape) == 3


def _weights(call: Call) -> np.ndarray:
    """Return the kernels of a layer, output channels first."""
    layer, kind = call.layer, call.type
    if kind is LayerType.SEPARABLE:
        depthwise, pointwise = map(_array, (layer.depthwise_kernel, layer.pointwise_kernel))
        channels, times = depthwise.shape[2:]
        mixed = pointwise[0, 0].reshape(channels, times, -1)
        return np.einsum("rcim,imo->oirc", depthwise, mixed).astype(np.float32)
    found = _array(layer.kernel)
    if kind is LayerType.DEPTHWISE:
        rows, cols, channels, times = found.shape
        return found.reshape(rows, cols, channels * times).transpose(2, 0, 1)[:, np.newaxis]
    return found.transpose((2, 3, 0, 1) if kind is LayerType.TRANSPOSED else (3, 2, 0, 1))


def _array(weight: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32")))
