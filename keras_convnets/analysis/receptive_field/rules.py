"""What each kind of layer does to the receptive fields of its inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets.analysis.receptive_field import fields
from keras_convnets.analysis.receptive_field.fields import Range, State, Taps
from keras_convnets.graph.layer_classes import layer_classes
from keras_convnets.graph.walk import Call, Shape
from keras_convnets.layers import LocalResponseNormalization, PadChannels, TakeChannels

_CONVOLUTIONS = layer_classes("Conv{}D", "DepthwiseConv{}D", "SeparableConv{}D")
_TRANSPOSED = layer_classes("Conv{}DTranspose")
_POOLINGS = layer_classes("MaxPooling{}D", "AveragePooling{}D")
_UPSAMPLINGS = layer_classes("UpSampling{}D")
_PADDINGS = layer_classes("ZeroPadding{}D")
_CROPPINGS = layer_classes("Cropping{}D")
WINDOWED = (
    *(*_CONVOLUTIONS, *_TRANSPOSED, *_POOLINGS),
    *(*_UPSAMPLINGS, *_PADDINGS, *_CROPPINGS),
)
GLOBAL_POOLINGS = layer_classes("GlobalAveragePooling{}D", "GlobalMaxPooling{}D")
# What computes a unit from the units at its own place.
_POINTWISE = (
    *(LocalResponseNormalization, PadChannels, TakeChannels),
    *layer_classes(
        *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Identity", "Dense"),
        *("Dropout", "SpatialDropout{}D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
        *("ActivityRegularization", "Rescaling", "Normalization", "BatchNormalization"),
        *("LayerNormalization", "RMSNormalization", "UnitNormalization"),
        # At inference these change nothing.
        *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"),
        *("RandomContrast", "RandomBrightness"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
    ),
)
# The same, of keras.applications: layers that are not public, so by name.
_POINTWISE_NAMES = {"CustomScaleLayer", "LayerScale", "StochasticDepth"}
# The same, of keras.ops and of operators such as x + y.
_POINTWISE_OPS = {
    *("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Power", "Maximum", "Minimum"),
    *("Absolute", "Negative", "Square", "Sqrt", "Rsqrt", "Exp", "Log", "Clip", "Cast", "Erf"),
    *("Relu", "ReLU", "Relu6", "LeakyRelu", "Elu", "Selu", "Gelu", "Silu", "Softplus", "Softsign"),
    *("Sigmoid", "HardSigmoid", "HardSilu", "Tanh", "Softmax", "LogSoftmax", "Concatenate"),
    *("Identity", "StopGradient"),
}
# What mixes the units along its ``axis``; a mean over all rows and columns is global pooling.
_ALONG_AXIS = (
    LocalResponseNormalization,
    *layer_classes("Softmax", "LayerNormalization", "RMSNormalization", "UnitNormalization"),
)
_ALONG_AXIS_OPS = {"Softmax", "LogSoftmax", "Mean", "Max", "Sum"}
_ALONG_LAST_AXIS = (
    keras.activations.softmax,
    keras.activations.log_softmax,
    keras.activations.sparsemax,
    keras.activations.glu,
)


def state_of(call: Call, inputs: Sequence[State]) -> State:
    """Return what a call's units see, given what those of its inputs see."""
    sizes = _sizes(call.outputs[0].shape, call)
    if call.is_input:
        no_axes = f"{call.name} (an input without rows and columns)"
        return fields.pixels(sizes) if sizes else State((), unknown=no_axes)
    merges = dict.fromkeys(name for state in inputs for name in state.unaligned)
    nothing = State(inputs[0].image, unaligned=tuple(merges))
    unknown = next((state.unknown for state in inputs if state.unknown), "")
    if len({state.image for state in inputs}) > 1:
        unknown = unknown or f"{call.name} ({call.kind} of inputs of different sizes)"
        return dataclasses.replace(nothing, unknown=unknown)
    if any(state.reach for state in inputs) or _sees_all(call):
        return dataclasses.replace(nothing, reach=_hull([state.extent for state in inputs]))
    if unknown:
        return dataclasses.replace(nothing, unknown=unknown)
    known = None if _mixed_axes(call) or None in sizes else _local(call, inputs, sizes)
    return known or dataclasses.replace(nothing, unknown=f"{call.name} ({_why(call)})")


def _hull(extents: Sequence[tuple[Range, ...]]) -> tuple[Range, ...]:
    return tuple(
        (min(first for first, _ in axis), max(last for _, last in axis))
        for axis in zip(*extents, strict=True)
    )


def _sizes(shape: Shape, call: Call) -> tuple[Any, ...]:
    """Return the rows and columns of a shape."""
    return tuple(shape[1:] if call.data_format == "channels_first" else shape[:-1])


def _sees_all(call: Call) -> bool:
    layer = call.layer
    if isinstance(layer, GLOBAL_POOLINGS):
        return _is_in_model_format(call)
    if isinstance(layer, keras.layers.GroupNormalization):
        return _is_channel_axis(layer.axis, call)
    mixed = _mixed_axes(call)
    everywhere = bool(mixed) and len(mixed) == len(call.inputs[0].shape) - 1
    return isinstance(layer, keras.layers.Flatten) or everywhere


def _mixed_axes(call: Call) -> set[int]:
    """Return on which axes, rows being 0, a layer mixes all units."""
    layer = call.layer
    rank = len(call.inputs[0].shape) + 1
    axes: list[int] = []
    if isinstance(layer, _ALONG_AXIS) or (_is_op(call) and call.kind in _ALONG_AXIS_OPS):
        every = range(rank)
        axes = np.atleast_1d(every if layer.axis is None else layer.axis).tolist()
    elif _is_along_last_axis(layer):
        axes = [-1]
    rows = 2 if call.data_format == "channels_first" else 1
    return {axis % rank - rows for axis in axes} & set(range(rank - 2))


def _is_along_last_axis(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Dense) or activation in _ALONG_LAST_AXIS


def _is_channel_axis(axis: int, call: Call) -> bool:
    rank = len(call.inputs[0].shape) + 1
    return axis % rank == (1 if call.data_format == "channels_first" else rank - 1)


def _is_op(call: Call) -> bool:
    """Whether a call is of keras.ops or of an operator, not of a layer."""
    is_layer = isinstance(call.layer, keras.layers.Layer)
    return not is_layer and type(call.layer).__module__.startswith("keras.")


def _is_in_model_format(call: Call) -> bool:
    """Whether a layer's rows and columns are where the model has them."""
    # UpSampling1D and Cropping1D know no format: they take the axis after the batch.
    return getattr(call.layer, "data_format", "channels_last") == call.data_format


def _why(call: Call) -> str:
    """Return why a layer has no rule: its class, and what is special about this one."""
    if _mixed_axes(call):
        return f"{call.kind} along rows or columns"
    if isinstance(call.layer, _TRANSPOSED):
        return f"{call.kind} with output padding or dilation"
    if not _is_in_model_format(call) and isinstance(call.layer, WINDOWED + GLOBAL_POOLINGS):
        return f"{call.kind} in another data format than the model's"
    return call.kind


def _local(call: Call, inputs: Sequence[State], sizes: tuple[int, ...]) -> State | None:
    """Return what the units see of a layer that looks at a part of its input, if it has a rule."""
    if any(len(state.sizes) != len(sizes) for state in inputs):
        return None
    if isinstance(call.layer, WINDOWED):
        taps = taps_of_axes(call, inputs[0].sizes)
        return inputs[0].through(taps, sizes) if taps else None
    return fields.merge(inputs, sizes, call.name) if _is_pointwise(call, inputs, sizes) else None


def _is_pointwise(call: Call, inputs: Sequence[State], sizes: tuple[int, ...]) -> bool:
    layer = call.layer
    is_broadcast = all(
        have in (1, want) for state in inputs for have, want in zip(state.sizes, sizes, strict=True)
    )
    if not is_broadcast:
        return False
    if call.kind == "Concatenate" and not _is_channel_axis(layer.axis, call):
        return False
    if isinstance(layer, keras.layers.Reshape | keras.layers.Resizing):
        return call.inputs[0].shape == call.outputs[0].shape
    return (
        isinstance(layer, _POINTWISE)
        or call.kind in _POINTWISE_NAMES
        or (_is_op(call) and call.kind in _POINTWISE_OPS)
    )


def taps_of_axes(call: Call, sizes: tuple[int, ...]) -> list[Taps] | None:
    """Return what a layer with a window reads on each axis of an input of these sizes."""
    layer = call.layer
    if not _is_in_model_format(call) or getattr(layer, "rank", len(sizes)) != len(sizes):
        return None
    taps = [_taps(layer, axis, size) for axis, size in enumerate(sizes)]
    known = [one for one in taps if one]
    return known if len(known) == len(taps) else None


def _taps(layer: Any, axis: int, size: int) -> Taps | None:
    if isinstance(layer, _CONVOLUTIONS):
        how = (layer.kernel_size[axis], layer.strides[axis], layer.dilation_rate[axis])
        return _window(*how, layer.padding, size)
    if isinstance(layer, _POOLINGS):
        return _window(layer.pool_size[axis], layer.strides[axis], 1, layer.padding, size)
    if isinstance(layer, _PADDINGS):
        return fields.window(1, before=_pairs(layer.padding)[axis][0])
    if isinstance(layer, _CROPPINGS):
        return fields.window(1, before=-_pairs(layer.cropping)[axis][0])
    if isinstance(layer, _TRANSPOSED):
        return _transposed(layer, axis)
    factor = layer.size if isinstance(layer.size, int) else layer.size[axis]
    rules = {"nearest": fields.repeated, "bilinear": fields.interpolated}
    rule = rules.get(getattr(layer, "interpolation", "nearest"))
    return rule and rule(factor)


def _window(kernel: int, stride: int, dilation: int, padding: str, size: int) -> Taps:
    reach = (kernel - 1) * dilation
    before = {
        "valid": 0,
        "same": fields.same_padding(reach + 1, stride, size),
        "causal": reach,
    }
    return fields.window(kernel, stride, dilation, before[padding])


def _transposed(layer: Any, axis: int) -> Taps | None:
    if layer.output_padding is not None or layer.dilation_rate[axis] > 1:
        return None
    kernel, stride = layer.kernel_size[axis], layer.strides[axis]
    before = max(kernel - stride, 0) // 2 if layer.padding == "same" else 0
    return fields.transposed(kernel, stride, before)


def _pairs(given: Any) -> Any:
    """Return (before, after) of each axis; a layer of one axis has just these two numbers."""
    return (given,) if isinstance(given[0], int) else given
