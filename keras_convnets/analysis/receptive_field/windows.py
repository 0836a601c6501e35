"""The input positions that a layer with a window reads on each axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_convnets.analysis.receptive_field import taps
from keras_convnets.analysis.receptive_field.taps import Taps
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import LayerType


def taps_of_axes(call: Call, sizes: tuple[int, ...]) -> list[Taps] | None:
    """Return the taps of a layer with a window on each axis of an input of these sizes."""
    layer = call.layer
    if call.type in OPERATIONS:
        return _rows_and_columns(call, OPERATIONS[call.type](call, sizes))
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


def _rows_and_columns(call: Call, found: Sequence[Taps | None]) -> list[Taps] | None:
    """Return the taps on the rows and columns among those on all axes, if all are known."""
    rank = len(call.inputs[0].shape) + 1
    is_first = call.data_format == "channels_first"
    on_spatial = [*found[2:]] if is_first else [*found[1:-1]]
    known = [one for one in on_spatial if one]
    keeps_images = len(found) == rank == len(call.outputs[0].shape) + 1 and found[0] is not None
    return known if keeps_images and len(known) == len(on_spatial) == rank - 2 else None


def _pad_operation(call: Call, sizes: tuple[int, ...]) -> list[Taps | None]:
    """Return the taps of ``ops.pad``; padding other than with a constant repeats pixels."""
    rank = len(call.inputs[0].shape) + 1
    widths = call.layer.pad_width
    widths = [*widths] * rank if len(widths) == 1 else [*widths]
    is_constant = call.layer.mode == "constant" and len(call.inputs) == 1
    return [
        taps.window(1, before=before) if is_constant or not (before or after) else None
        for before, after in widths
    ]


def _slices(call: Call, sizes: tuple[int, ...]) -> list[Taps | None]:
    """Return the taps of ``x[:, 1:-1, ::2]``; an index or a new axis makes another shape."""
    rank = len(call.inputs[0].shape) + 1
    key = call.arguments[0] if call.arguments else None
    key = [*key] if isinstance(key, list | tuple) else [key]
    if Ellipsis not in key:
        key.append(Ellipsis)
    start = key.index(Ellipsis)
    key[start : start + 1] = [slice(None)] * (rank + 1 - len(key))
    first = 2 if call.data_format == "channels_first" else 1
    on_axis = [1] * first + [*sizes] + [1] * (rank - first - len(sizes))
    return [_slice(one, *pair) for one, pair in zip(key, enumerate(on_axis), strict=False)]


def _slice(one: Any, axis: int, size: int) -> Taps | None:
    if not isinstance(one, slice):
        return None
    if axis == 0 and one != slice(None):
        return None
    step = 1 if one.step is None else one.step
    return taps.window(1, stride=step, before=-one.indices(size)[0]) if step > 0 else None


def _split(call: Call, sizes: tuple[int, ...]) -> list[Taps | None]:
    """Return the taps of ``ops.split`` along an axis that is neither rows nor columns."""
    rank = len(call.inputs[0].shape) + 1
    return [None if axis == call.layer.axis % rank else taps.window(1) for axis in range(rank)]


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


# Operations on tensors: the taps on all axes, the batch's first.
OPERATIONS: dict[LayerType, Callable[[Call, tuple[int, ...]], Sequence[Taps | None]]] = {
    LayerType.PAD_OPERATION: _pad_operation,
    LayerType.SLICES: _slices,
    LayerType.SPLIT: _split,
}
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
