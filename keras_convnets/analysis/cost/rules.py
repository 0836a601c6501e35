"""Rules for the multiply-adds and elementwise operations of a layer for one image.

Rules depend on shapes and the settings of a layer, never on values. The counting convention is
[`CONVENTION`][keras_convnets.analysis.cost.rules.CONVENTION].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from keras_convnets.graph.calls import Call, Tensor
from keras_convnets.graph.layer_types import (
    ACTIVATIONS,
    NORMALISATIONS,
    OPAQUE,
    POOLINGS,
    TRANSPARENT,
    LayerType,
    class_of,
)

CONVENTION = (
    "Multiply-adds count convolutions and dense layers, of one image, without biases. "
    "FLOPs = 2 × multiply-adds + one per output element for normalisation, activation and "
    "pooling, and for each addition of tensors."
)

ITEMS = ("normalisation", "activation", "pooling", "addition")


def multiply_adds(call: Call) -> int | None:
    """Return the multiply-adds of a call for one image; ``None`` if there is no rule."""
    rule = MULTIPLY_ADDS.get(call.type)
    return None if rule is None else rule(call)


def elementwise(call: Call) -> dict[str, int]:
    """Return the elementwise operations of a call, keyed by `ITEMS`."""
    counts = dict.fromkeys(ITEMS, 0)
    if call.within:
        return _inside(call)
    outputs = sum(tensor.elements for tensor in call.outputs)
    if call.type in NORMALISATIONS:
        counts["normalisation"] = outputs
    elif _activates(call):
        counts["activation"] = outputs
    elif call.type in POOLINGS:
        counts["pooling"] = outputs
    elif call.type is LayerType.ADDITION:
        counts["addition"] = outputs * (len(call.inputs) - 1)
    return counts


def activations(call: Call) -> list[tuple[int, str]]:
    """Return the number of elements and the data type of each tensor that a call computes."""
    if call.type in (LayerType.PER_STEP, LayerType.MODEL):
        inner = [pair for one in call.within if not one.is_input for pair in activations(one)]
        return [(_times(call) * elements, dtype) for elements, dtype in inner]
    return [(tensor.elements, tensor.dtype) for tensor in call.outputs]


def _inside(call: Call) -> dict[str, int]:
    """Return the elementwise operations of the layers inside a nested model or a wrapper."""
    counts = [elementwise(one) for one in call.within]
    return {item: _times(call) * sum(count[item] for count in counts) for item in ITEMS}


def _times(call: Call) -> int:
    return cast(int, call.times)  # costs are taken of models whose sizes are known


def _activates(call: Call) -> bool:
    """Return whether a call is an activation or applies one to its own result."""
    if not hasattr(call.layer, "activation"):
        return call.type in ACTIVATIONS
    function = call.layer.activation
    return function is not None and getattr(function, "__name__", None) != "linear"


def _none(call: Call) -> int:
    return 0


def _convolution(call: Call) -> int:
    layer = call.layer
    positions, channels = _positions(call.outputs[0], layer), _channels(call.inputs[0], layer)
    return positions * math.prod(layer.kernel_size) * channels // layer.groups * layer.filters


def _depthwise(call: Call) -> int:
    layer = call.layer
    channels = layer.depth_multiplier * _channels(call.inputs[0], layer)
    return _positions(call.outputs[0], layer) * math.prod(layer.kernel_size) * channels


def _separable(call: Call) -> int:
    layer = call.layer
    channels = layer.depth_multiplier * _channels(call.inputs[0], layer)
    return _depthwise(call) + _positions(call.outputs[0], layer) * channels * layer.filters


def _transposed(call: Call) -> int:
    """Count a whole kernel window for every element of the input."""
    layer = call.layer
    positions, channels = _positions(call.inputs[0], layer), _channels(call.inputs[0], layer)
    return positions * math.prod(layer.kernel_size) * channels * layer.filters


def _dense(call: Call) -> int:
    return call.inputs[0].elements * call.layer.units


def _recurrent(call: Call) -> int | None:
    """Count the two matrices of each cell, for its input and for its state, once a step."""
    layer = call.layer
    steps = call.inputs[0].shape[0] if hasattr(layer, "cell") else 1
    cell = getattr(layer, "cell", layer)
    cells = getattr(cell, "cells", [cell])
    if steps is None or not all(class_of(one) in _CELLS for one in cells):
        return None
    matrices = [matrix for one in cells for matrix in (one.kernel, one.recurrent_kernel)]
    return steps * sum(math.prod(matrix.shape) for matrix in matrices)


def _sum_within(call: Call) -> int | None:
    """Return the sum over the layers inside a nested model or a wrapper."""
    counts = [multiply_adds(one) for one in call.within]
    known = [count for count in counts if count is not None]
    return _times(call) * sum(known) if len(known) == len(counts) else None


def _positions(tensor: Tensor, layer: Any) -> int:
    """Return the number of pixels of a feature map."""
    return tensor.elements // _channels(tensor, layer)


def _channels(tensor: Tensor, layer: Any) -> int:
    return cast(int, tensor.shape[0 if layer.data_format == "channels_first" else -1])


# Types that may multiply tensors and have no rule: costs list them as not counted.
UNKNOWN = OPAQUE
_CELLS = {"SimpleRNNCell", "GRUCell", "LSTMCell"}
# By convention, layers that are neither convolutions nor dense have no multiply-adds.
_FREE = {
    *(LayerType.INPUT, LayerType.DROPOUT, LayerType.IDENTITY, LayerType.SCALING),
    *(LayerType.AUGMENTATION, LayerType.ELEMENTWISE, LayerType.ADDITION, LayerType.MERGE),
    *(LayerType.CONCATENATION, LayerType.PADDING, LayerType.CROPPING, LayerType.UPSAMPLING),
    *(
        LayerType.PADDED_CHANNELS,
        LayerType.TAKEN_CHANNELS,
        LayerType.FLATTEN,
        LayerType.RESHAPE,
        LayerType.RESIZING,
    ),
    *(LayerType.PAD_OPERATION, LayerType.SLICES, LayerType.SPLIT),
    *(LayerType.REARRANGEMENT, LayerType.REDUCTION, LayerType.IMAGE, LayerType.LOOKUP),
}
MULTIPLY_ADDS: dict[LayerType, Callable[[Call], int | None]] = {
    **dict.fromkeys(_FREE | NORMALISATIONS | ACTIVATIONS | POOLINGS, _none),
    LayerType.CONVOLUTION: _convolution,
    LayerType.DEPTHWISE: _depthwise,
    LayerType.SEPARABLE: _separable,
    LayerType.TRANSPOSED: _transposed,
    LayerType.DENSE: _dense,
    LayerType.RECURRENT: _recurrent,
    **dict.fromkeys(TRANSPARENT | {LayerType.MODEL}, _sum_within),
}
