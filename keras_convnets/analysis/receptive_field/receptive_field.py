"""Receptive fields: the pixels of the image that the units of each layer see, for any model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from keras_convnets import checks
from keras_convnets.analysis.receptive_field import fields
from keras_convnets.analysis.receptive_field.fields import Seen, State, Unclipped
from keras_convnets.analysis.receptive_field.found import ReceptiveField, ReceptiveFields, extent
from keras_convnets.analysis.receptive_field.rules import state_of
from keras_convnets.graph.calls import Call
from keras_convnets.graph.input_shapes import open_sizes
from keras_convnets.graph.stages import full_name
from keras_convnets.graph.walk import walk
from keras_convnets.typed import explaining


@overload
@explaining
def receptive_field(
    model: Any, layer: None = None, *, input_shape: Any = None
) -> ReceptiveFields: ...


@overload
@explaining
def receptive_field(model: Any, layer: Any, *, input_shape: Any = None) -> ReceptiveField: ...


@explaining
def receptive_field(
    model: Any, layer: Any = None, *, input_shape: Any = None
) -> ReceptiveFields | ReceptiveField:
    """Return the receptive fields of a functional model's layers, or that of one layer.

    A layer that is used more than once has the largest field of its uses. Group normalisation, and
    layer normalisation over rows and columns, see the whole image. Fields are those at inference,
    where batch normalisation and dropout do not depend on other pixels.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, in any data format.
        layer: a layer or its name; the names of nested models around it may be left out if the rest
            is unique. By default, all layers.
        input_shape: ``(channels, rows, cols)``, whatever the data format, for a model with unknown
            sizes, or for sizes other than those it was built with.

    Raises:
        ValueError: if sizes are unknown, or the layer is not in the model.

    Examples:
        >>> import keras
        >>> from keras_convnets import receptive_field
        >>> image = keras.Input((32, 32, 3))
        >>> x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name="conv1")(image)
        >>> x = keras.layers.Conv2D(8, 3, padding="same", name="conv2")(x)
        >>> field = receptive_field(keras.Model(image, x), "conv2")
        >>> field.size, field.stride, field.padding
        ((7, 7), (2, 2), (2, 2))
        >>> field.at(0, 8)
        ((0, 4), (14, 20))
    """
    calls = walk(model, input_shape)
    _check_sizes(calls)
    found = _fields_of(calls)
    if layer is None:
        return ReceptiveFields(found)
    names = [call.name for call in calls if layer is call.layer or layer == call.name]
    names = names or list(filter(None, [full_name(found, layer, "layer")]))
    if not found.keys() & names:
        raise ValueError(
            f"layer: received {layer!r}; expected a layer of the model or its name, such as "
            f"{next(reversed(found), None)!r}; inputs have no field."
            f"{checks.did_you_mean(getattr(layer, 'name', layer), found)}"
        )
    return max((found[name] for name in names), key=extent)


def _check_sizes(calls: Sequence[Call]) -> None:
    for call in calls:
        if call.is_input and None in call.shape[1:]:
            raise open_sizes(call)


def _fields_of(calls: Sequence[Call]) -> dict[str, ReceptiveField]:
    states: dict[int, State] = {}
    found: dict[str, ReceptiveField] = {}
    for call in calls:
        states[id(call)] = state = state_of(call, [states[id(parent)] for parent in call.parents])
        if not call.is_input:
            field = _field(call.name, state)
            found[call.name] = max(found.get(call.name, field), field, key=extent)
    return found


def _field(name: str, state: State) -> ReceptiveField:
    size, stride, padding = None, None, None
    if state.reach:
        size = tuple(last - first + 1 for first, last in state.reach)
    elif not state.unknown:
        size = tuple(map(_size, state.unclipped, fields.span(state.parts)))
        stride = tuple(map(_stride, state.unclipped))
        padding = tuple(map(_padding, state.unclipped))
    whole = size == state.image and bool(state.reach)
    return ReceptiveField(name, size, stride, padding, whole, state.unknown, state.unaligned, state)


def _size(unclipped: Unclipped | None, seen: Seen) -> int:
    """Return the size of the largest unclipped field, or the largest seen one if strides differ."""
    largest = unclipped or seen
    return max(int((largest.last - largest.first).max()) + 1, 0)


def _stride(unclipped: Unclipped | None) -> float | None:
    if unclipped is None:
        return None
    stride = unclipped.stride
    return int(stride) if stride.denominator == 1 else float(stride)


def _padding(unclipped: Unclipped | None) -> int | None:
    if unclipped is None or unclipped.first[0] > unclipped.last[0]:
        return None
    return -int(unclipped.first[0])
