"""The input positions that a layer with a window reads on each axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_convnets.analysis.receptive_field import taps
from keras_convnets.analysis.receptive_field.taps import Taps
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import LayerType


def taps_of_axes(call: Call, sizes: tuple[int, ...]) -> list[Taps] | None:
    """Return the taps of a layer with a window on each axis of an input of these sizes."""
    layer = call.layer
    if not is_in_model_format(call) or getattr(layer, "rank", len(sizes)) != len(sizes):
        return None
    rule = WINDOWED[call.type]
    found = [rule(layer, axis, size) for axis, size in enumerate(sizes)]
    known = [one for one in found if one]
    return known if len(known) == len(found) else None


def is_in_model_format(call: Call) -> bool:
    """Return whether a layer has its rows and columns on the same axes as the model."""
    # UpSampling1D and Cropping1D have no data format: they use the axis after the batch.
    return getattr(call.layer, "data_format", "channels_last") == call.data_format


def _convolution(layer: Any, axis: int, size: int) -> Taps:
    how = (layer.kernel_size[axis], layer.strides[axis], layer.dilation_rate[axis])
    return _window(*how, layer.padding, size)


def _pooling(layer: Any, axis: int, size: int) -> Taps:
    return _window(layer.pool_size[axis], layer.strides[axis], 1, layer.padding, size)


def _adaptive(layer: Any, axis: int, size: int) -> Taps:
    return taps.adaptive(size, layer.output_size[axis])


def _padding(layer: Any, axis: int, size: int) -> Taps:
    return taps.window(1, before=_pairs(layer.padding)[axis][0])


def _cropping(layer: Any, axis: int, size: int) -> Taps:
    return taps.window(1, before=-_pairs(layer.cropping)[axis][0])


def _upsampling(layer: Any, axis: int, size: int) -> Taps | None:
    factor = layer.size if isinstance(layer.size, int) else layer.size[axis]
    rules = {"nearest": taps.repeated, "bilinear": taps.interpolated}
    rule = rules.get(getattr(layer, "interpolation", "nearest"))
    return rule and rule(factor)


def _transposed(layer: Any, axis: int, size: int) -> Taps | None:
    if layer.output_padding is not None or layer.dilation_rate[axis] > 1:
        return None
    kernel, stride = layer.kernel_size[axis], layer.strides[axis]
    before = max(kernel - stride, 0) // 2 if layer.padding == "same" else 0
    return taps.transposed(kernel, stride, before)


def _window(kernel: int, stride: int, dilation: int, padding: str, size: int) -> Taps:
    reach = (kernel - 1) * dilation
    before = {
        "valid": 0,
        "same": taps.same_padding(reach + 1, stride, size),
        "causal": reach,
    }
    return taps.window(kernel, stride, dilation, before[padding])


def _pairs(given: Any) -> Any:
    """Return (before, after) for each axis; a layer with one axis has only these two numbers."""
    return (given,) if isinstance(given[0], int) else given


WINDOWED: dict[LayerType, Callable[[Any, int, int], Taps | None]] = {
    LayerType.CONVOLUTION: _convolution,
    LayerType.DEPTHWISE: _convolution,
    LayerType.SEPARABLE: _convolution,
    LayerType.MAX_POOLING: _pooling,
    LayerType.AVERAGE_POOLING: _pooling,
    LayerType.ADAPTIVE_POOLING: _adaptive,
    LayerType.PADDING: _padding,
    LayerType.CROPPING: _cropping,
    LayerType.UPSAMPLING: _upsampling,
    LayerType.TRANSPOSED: _transposed,
}
