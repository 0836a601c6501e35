"""The distance in pixels between neighbouring units of each layer, in one pass without sizes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import cast

from keras_convnets.analysis.receptive_field.windows import OPERATIONS, WINDOWED, taps_of_axes
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import GLOBAL_POOLINGS, LayerType
from keras_convnets.graph.topology import ends

# Pixels of the input on each axis, rows first. ``None`` if units have no position in the image, as
# after global pooling, or if the stride is unknown.
Stride = tuple[Fraction, ...] | None

# Types that may change sizes in any way.
_MOVES = {LayerType.REARRANGEMENT, LayerType.RESHAPE}
_IN_NO_PLACE = GLOBAL_POOLINGS | {LayerType.REDUCTION}


def strides(calls: Sequence[Call]) -> dict[Call, Stride]:
    """Return the stride of every call: the distance between units, in pixels of the input.

    Unlike a ratio of sizes, it is exact for odd sizes and valid padding, and it does not require
    known sizes. A layer without a rule preserves the stride if it preserves the size.
    """
    found: dict[Call, Stride] = {}
    for call in calls:
        found[call] = _stride(call, [found[parent] for parent in call.parents])
    return found


def _stride(call: Call, before: Sequence[Stride]) -> Stride:
    if call.is_input:
        return (Fraction(1),) * (len(call.shape) - 1) or None
    if call.type is LayerType.SPECTRAL_NORMALISATION:
        return _stride(call.within[0], before)
    if call.type is LayerType.MODEL:
        return _times(_only(before), _inside(call))
    if call.type in WINDOWED or call.type in OPERATIONS:
        return _times(before[0], _of_window(call))
    if call.type in _IN_NO_PLACE:
        return None
    return _of_merge(call, before)


def _times(one: Stride, other: Stride) -> Stride:
    if one is None or other is None or len(one) != len(other):
        return None
    return tuple(a * b for a, b in zip(one, other, strict=True))


def _of_window(call: Call) -> Stride:
    """Return the stride of a layer with a window, relative to its own input."""
    sizes: tuple[int | None, ...] = (1,) * (len(call.shape) - 1)  # of others, sizes shift windows
    if call.type is LayerType.ADAPTIVE_POOLING:  # whose strides depend on the size of its input
        sizes = call.spatial_sizes(call.inputs[0])
    if None in sizes:
        return None
    taps = taps_of_axes(call, cast(tuple[int, ...], sizes))
    return None if taps is None else tuple(Fraction(tap.step_in, tap.step_out) for tap in taps)


def _inside(call: Call) -> Stride:
    """Return the stride of a nested model, relative to its own input."""
    found = strides(call.within)
    return _only([found[end] for end in ends(call.within)])


def _of_merge(call: Call, before: Sequence[Stride]) -> Stride:
    """Return the common stride of all inputs, except those without a position or broadcast."""
    sizes = call.spatial
    if call.type in _MOVES and None in sizes:
        return None  # every size could have changed
    placed = [
        (stride, call.spatial_sizes(tensor))
        for stride, tensor in zip(before, call.inputs, strict=True)
        if stride is not None
    ]
    if any(have != sizes and set(have) != {1} for _, have in placed):
        return None
    return _only([stride for stride, have in placed if have == sizes])


def _only(found: Sequence[Stride]) -> Stride:
    return found[0] if len(set(found)) == 1 else None
