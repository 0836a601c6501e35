"""The class axis of a tensor, traced back from the output vector.

Axes are counted without the batch axis. ``None`` means that the classes are spread over several.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from keras_convnets.graph.calls import Call, TensorShape


def before_reshaping(call: Call, axis: int | None) -> int | None:
    """Return the class axis before a reshape, a permutation or an indexing operation."""
    order = _order(call.layer)
    if axis is None:
        return None
    if order is not None:
        return order[axis]
    before, after = call.inputs[0].shape, call.outputs[0].shape
    if _is_alone(after, axis):
        places = [place for place, size in enumerate(before) if size == after[axis]]
        if places and _is_alone(before, places[0]):
            return places[0]
    if axis == len(after) - 1 and before[-1:] == after[-1:]:
        return len(before) - 1
    return None


def before_mean(call: Call, axis: int | None) -> int | None:
    """Return the class axis before a pooling or a mean over other axes."""
    rank = len(call.inputs[0].shape)
    gone = _pooled(call.layer, rank)
    if axis is None or -1 in gone:  # a mean over the batch
        return None
    if len(call.outputs[0].shape) == rank:  # reduced axes are kept with size 1
        return None if axis in gone else axis
    return [place for place in range(rank) if place not in gone][axis]


def _pooled(layer: Any, rank: int) -> set[int]:
    """Return the axes that a pooling or a mean reduces; the batch axis is -1."""
    if isinstance(layer, layers.Layer):
        channels = 0 if layer.data_format == "channels_first" else rank - 1
        return set(range(rank)) - {channels}
    if layer.axis is None:
        return set(range(-1, rank))
    given = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    return {_without_batch(axis, rank) for axis in given}


def sums_over(shape: TensorShape, axes: tuple[int, ...], axis: int | None) -> bool:
    """Return whether a softmax over ``axes``, with the batch axis as 0, is over the class axis."""
    summed = {_without_batch(place, len(shape)) for place in axes}
    others = summed - {axis}
    return axis in summed and all(place >= 0 and shape[place] == 1 for place in others)


def _order(layer: Any) -> list[int] | None:
    """Return the input axis of each output axis if a layer only permutes axes; else ``None``."""
    if isinstance(layer, layers.Permute):
        return [place - 1 for place in layer.dims]
    if type(layer).__name__ == "Transpose" and layer.axes is not None and layer.axes[0] == 0:
        rank = len(layer.axes) - 1
        return [_without_batch(place, rank) for place in layer.axes[1:]]
    return None


def _without_batch(axis: int, rank: int) -> int:
    return axis - 1 if axis >= 0 else axis + rank


def _is_alone(shape: TensorShape, axis: int) -> bool:
    return all(size == 1 for place, size in enumerate(shape) if place != axis)
