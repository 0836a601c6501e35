"""The effect of each layer type on receptive fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from keras_convnets.analysis.receptive_field import fields
from keras_convnets.analysis.receptive_field.fields import Range, State
from keras_convnets.analysis.receptive_field.windows import (
    OPERATIONS,
    WINDOWED,
    is_in_model_format,
    taps_of_axes,
)
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import GLOBAL_POOLINGS, OPAQUE, LayerType

# Types that see the whole image, unless they work along other axes.
SEES_ALL = GLOBAL_POOLINGS | {LayerType.GROUP_NORMALISATION, LayerType.FLATTEN}
# Types that compute each unit from the units at the same position.
POINTWISE = {
    *(LayerType.ACTIVATION, LayerType.AXIS_ACTIVATION, LayerType.DENSE, LayerType.IDENTITY),
    *(LayerType.BATCH_NORMALISATION, LayerType.AXIS_NORMALISATION, LayerType.DROPOUT),
    *(
        LayerType.SCALING,
        LayerType.AUGMENTATION,
        LayerType.ELEMENTWISE,
        LayerType.PADDED_CHANNELS,
        LayerType.TAKEN_CHANNELS,
    ),
    *(LayerType.ADDITION, LayerType.MERGE, LayerType.CONCATENATION),
}
# Types that do so if their ``axis`` has the channels.
ALONG_CHANNELS = {
    *(LayerType.CONCATENATION, LayerType.PADDED_CHANNELS, LayerType.TAKEN_CHANNELS),
}
# Types that do so if the shape does not change.
RESHAPING = {LayerType.RESHAPE, LayerType.RESIZING}
# Types that mix the units along ``axis``: all units if the axes are rows and columns.
ALONG_AXIS = {LayerType.AXIS_ACTIVATION, LayerType.AXIS_NORMALISATION, LayerType.REDUCTION}
# Types without a rule: their fields and those of all later layers are reported as unknown.
UNKNOWN = OPAQUE | {
    *(LayerType.POOLING_OPERATION, LayerType.MODEL, LayerType.REARRANGEMENT),
    *(LayerType.IMAGE, LayerType.LOOKUP, LayerType.RECURRENT, LayerType.BIDIRECTIONAL),
    LayerType.PER_STEP,
}
_ALONG_LAST_AXIS = (
    keras.activations.softmax,
    keras.activations.log_softmax,
    keras.activations.sparsemax,
    keras.activations.glu,
)


def state_of(call: Call, inputs: Sequence[State]) -> State:
    """Return what the units of a call see, given what the units of its inputs see."""
    if call.type is LayerType.SPECTRAL_NORMALISATION:
        return state_of(call.within[0], inputs)
    sizes = call.spatial
    if call.is_input:
        no_axes = f"{call.name} (an input without rows and columns)"
        return fields.pixels(sizes) if sizes else State((), unknown=no_axes)
    merges = dict.fromkeys(name for state in inputs for name in state.unaligned)
    nothing = State(inputs[0].image, unaligned=tuple(merges))
    unknown = next((state.unknown for state in inputs if state.unknown), "")
    if len({state.image for state in inputs}) > 1:
        unknown = unknown or f"{call.name} ({call.kind} of inputs of different sizes)"
        return dataclasses.replace(nothing, unknown=unknown)
    if not nothing.image:  # there is nothing that could be seen, not even by all units together
        return dataclasses.replace(nothing, unknown=unknown)
    if any(state.reach for state in inputs) or _sees_all(call):
        return dataclasses.replace(nothing, reach=_hull([state.extent for state in inputs]))
    if unknown:
        return dataclasses.replace(nothing, unknown=unknown)
    has_units = None not in sizes and 0 not in sizes
    known = _local(call, inputs, sizes) if has_units and not _mixed_axes(call) else None
    return known or dataclasses.replace(nothing, unknown=f"{call.name} ({_why(call)})")


def _hull(extents: Sequence[tuple[Range, ...]]) -> tuple[Range, ...]:
    return tuple(
        (min(first for first, _ in axis), max(last for _, last in axis))
        for axis in zip(*extents, strict=True)
    )


def _sees_all(call: Call) -> bool:
    if call.type in GLOBAL_POOLINGS:
        return is_in_model_format(call)
    if call.type is LayerType.GROUP_NORMALISATION:
        return _is_channel_axis(call.layer.axis, call)
    mixed = _mixed_axes(call)
    everywhere = bool(mixed) and len(mixed) == len(call.inputs[0].shape) - 1
    return call.type is LayerType.FLATTEN or everywhere


def _mixed_axes(call: Call) -> set[int]:
    """Return the axes along which a layer mixes all units; rows are axis 0."""
    rank = len(call.inputs[0].shape) + 1
    axes: list[int] = []
    if call.type in ALONG_AXIS and hasattr(call.layer, "axis"):
        every = range(rank)
        axes = np.atleast_1d(every if call.layer.axis is None else call.layer.axis).tolist()
    elif _is_along_last_axis(call):
        axes = [-1]
    rows = 2 if call.data_format == "channels_first" else 1
    return {axis % rank - rows for axis in axes} & set(range(rank - 2))


def _is_along_last_axis(call: Call) -> bool:
    activation = getattr(call.layer, "activation", None)
    return call.type is LayerType.DENSE or activation in _ALONG_LAST_AXIS


def _is_channel_axis(axis: int, call: Call) -> bool:
    rank = len(call.inputs[0].shape) + 1
    return axis % rank == (1 if call.data_format == "channels_first" else rank - 1)


def _why(call: Call) -> str:
    """Return why a layer has no rule: its class and its unsupported settings."""
    if 0 in call.spatial:
        return f"{call.kind} of no units"
    if _mixed_axes(call):
        return f"{call.kind} along rows or columns"
    if call.type in ALONG_CHANNELS and not _is_channel_axis(call.layer.axis, call):
        return f"{call.kind} along rows or columns"
    if call.type is LayerType.TRANSPOSED:
        return f"{call.kind} with output padding or dilation"
    if not is_in_model_format(call) and call.type in WINDOWED.keys() | GLOBAL_POOLINGS:
        return f"{call.kind} in another data format than the model's"
    return call.kind


def _local(call: Call, inputs: Sequence[State], sizes: tuple[int, ...]) -> State | None:
    """Return what the units of a layer with a local view see, or ``None`` without a rule."""
    if any(len(state.sizes) != len(sizes) for state in inputs):
        return None
    if call.type in WINDOWED or call.type in OPERATIONS:
        taps = taps_of_axes(call, inputs[0].sizes)
        return inputs[0].through(taps, sizes) if taps else None
    return fields.merge(inputs, sizes, call.name) if _is_pointwise(call, inputs, sizes) else None


def _is_pointwise(call: Call, inputs: Sequence[State], sizes: tuple[int, ...]) -> bool:
    is_broadcast = all(
        have in (1, want) for state in inputs for have, want in zip(state.sizes, sizes, strict=True)
    )
    if not is_broadcast:
        return False
    if call.type in ALONG_CHANNELS and not _is_channel_axis(call.layer.axis, call):
        return False
    if call.type in RESHAPING:
        return call.inputs[0].shape == call.outputs[0].shape
    return call.type in POINTWISE
