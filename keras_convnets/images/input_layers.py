"""What a model does to images before its first weights: it may scale them itself.

Its front is all that comes before a layer that learns or filters: rescalings, normalisations,
resizing, augmentation and arithmetic, in nested models too. It is computed for a few constant
images, so that it does not matter how it is written: as layers, as ``keras.applications`` has them,
or as ``x / 127.5 - 1``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets.graph.calls import Call, Tensor
from keras_convnets.graph.functional import graph_of, is_functional
from keras_convnets.graph.layer_types import LayerType
from keras_convnets.graph.walk import walk
from keras_convnets.images.pixel_range import BYTES, PixelRange

_FRONT = {
    *(LayerType.INPUT, LayerType.SCALING, LayerType.AUGMENTATION, LayerType.RESIZING),
    *(LayerType.IDENTITY, LayerType.DROPOUT, LayerType.ELEMENTWISE, LayerType.ADDITION),
    *(LayerType.MERGE, LayerType.SLICES, LayerType.SPLIT, LayerType.REARRANGEMENT),
    *(LayerType.CONCATENATION, LayerType.PADDING, LayerType.PAD_OPERATION, LayerType.CROPPING),
    *(LayerType.IMAGE, LayerType.LOOKUP),
}
_PROBES = (0.0, 1.0, 16.0, 100.0, 255.0)  # constant images
_SIDE = 32  # of images, where any will do
_DIGITS, _FRACTIONS, _SIGNED = PixelRange(0, 16), PixelRange(0, 1), PixelRange(-1, 1)
_RANGES = (BYTES, _FRACTIONS, _DIGITS)
# What the pixels of each range are scaled to, where they are not normalised.
_TARGETS = (_FRACTIONS, _SIGNED, PixelRange(-0.5, 0.5), BYTES)
_BECOME = (*((one, _TARGETS) for one in _RANGES), (_SIGNED, (_FRACTIONS, BYTES)))
_NEAR, _LEAST_STD = 0.02, 0.03  # shares of a range
_MEANS = (60.0, 200.0)  # of bytes that are shifted, but not scaled, as for Caffe's networks


@dataclasses.dataclass(frozen=True)
class OwnScaling:
    """What a model does to the values of images.

    Attributes:
        layer: the name of the first layer or operation that changes them.
        pixels: the range of the pixels that it is for; ``None`` if that cannot be told.
    """

    layer: str
    pixels: PixelRange | None


class _Unknown(Exception):  # noqa: N818 - never leaves this module
    """The front cannot be computed."""


def own_scaling(model: Any) -> OwnScaling | None:
    """Return how a model scales images before its first weights; ``None`` if it does not.

    A first layer that is batch normalisation is none: it does not tell what the images were.

    Args:
        model: a functional model of one input, of images.

    Examples:
        >>> import keras
        >>> layers = keras.layers.Rescaling(1 / 127.5, offset=-1), keras.layers.Conv2D(4, 3)
        >>> print(own_scaling(keras.Sequential([keras.Input((8, 8, 3)), *layers])).pixels)
        0 to 255
        >>> own_scaling(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)]))
    """
    [x] = model.inputs
    images = np.stack([np.full(_sizes(x.shape[1:]), value, np.float32) for value in _PROBES])
    try:
        first, outcome = _after_front(model, images)
    except _Unknown as unknown:
        return OwnScaling(str(unknown), None)
    if first is None:
        return None
    return OwnScaling(first, None if outcome is None else _range_for(*outcome))


def _sizes(shape: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(_SIDE if size is None else size for size in shape)


def _after_front(
    model: Any, images: Any
) -> tuple[str | None, tuple[np.ndarray, np.ndarray] | None]:
    """Return the first layer that changes images, and the factor and shift of each channel."""
    first, values = None, images
    while model is not None:
        changing, values, model = _one_level(model, values)
        first = first or changing
    return first, None if first is None else _line_through(_centres(values))


def _one_level(model: Any, images: Any) -> tuple[str | None, Any, Any]:
    """Compute the front of one model.

    Returns:
        The layer that first changes values, what the rest of the model receives, and the nested
        model that receives it, if it is one.
    """
    calls = walk(model, expand_nested=False)
    front = _front(calls)
    after = [call for call in calls if call not in front and _starts(call, front)]
    received = {id(tensor.symbol): tensor for call in after for tensor in call.inputs}
    if len(received) != 1:
        raise _Unknown(after[0].name if after else calls[-1].name)
    [tensor] = received.values()
    nested = [call for call in after if is_functional(call.layer)]
    changing = next((call.name for call in calls if call in front and _may_change(call)), None)
    values = images if changing is None else _computed(model, tensor, images, changing)
    if changing is not None and np.array_equal(_centres(values), _centres(images)):
        changing = None
    return changing, values, nested[0].layer if len(after) == len(nested) == 1 else None


def _front(calls: Sequence[Call]) -> set[Call]:
    front: set[Call] = set()
    for call in calls:
        is_first = call.is_input or (call.parents and all(one in front for one in call.parents))
        if is_first and _belongs(call):
            front.add(call)
    return front


def _belongs(call: Call) -> bool:
    """Return whether a call prepares images: it has no weights, or is Keras' normalisation."""
    if isinstance(call.layer, keras.layers.Normalization):
        return True
    if is_functional(call.layer):
        return all(map(_belongs, call.within))
    return call.type in _FRONT and not getattr(call.layer, "weights", None)


def _starts(call: Call, front: set[Call]) -> bool:
    return any(parent in front for parent in call.parents)


def _may_change(call: Call) -> bool:
    if is_functional(call.layer):
        return any(map(_may_change, call.within))
    same = (LayerType.INPUT, LayerType.IDENTITY, LayerType.DROPOUT, LayerType.AUGMENTATION)
    sizes = (LayerType.RESIZING, LayerType.PADDING, LayerType.CROPPING, LayerType.PAD_OPERATION)
    return call.type not in (*same, *sizes)


def _computed(model: Any, tensor: Tensor, images: Any, changing: str) -> Any:
    try:
        front = keras.Model(graph_of(model).inputs, tensor.symbol)
        return front(keras.ops.convert_to_tensor(images), training=False)
    except Exception as error:  # anybody's function, which may do anything
        raise _Unknown(changing) from error


def _centres(values: Any) -> np.ndarray:
    """Return the central values of each image, one of each channel, wherever the channels are."""
    array = np.asarray(keras.ops.convert_to_numpy(values), np.float64)
    if array.ndim != 4:
        raise _Unknown("the input")
    first = array.shape[1] in (1, 3) and array.shape[-1] not in (1, 3)
    array = np.moveaxis(array, 1, -1) if first else array
    return array[:, array.shape[1] // 2, array.shape[2] // 2]


def _line_through(found: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the factor and shift of each channel; ``None`` if it is not that simple."""
    shift, last = found[0], found[-1]
    factor = (last - shift) / _PROBES[-1]
    expected = shift + factor * np.array(_PROBES)[:, np.newaxis]
    close = np.abs(found - expected) <= 1e-3 * np.abs(last - shift).max() + 1e-9
    return (factor, shift) if close.all() and (factor > 0).all() else None


def _range_for(factor: np.ndarray, shift: np.ndarray) -> PixelRange | None:
    """Return the only usual range of pixels that is scaled to what networks take."""
    exact = [one for one, targets in _BECOME if _becomes(one, targets, factor, shift)]
    found = exact or [one for one in _RANGES if _may_be_normalised(one, factor, shift)]
    return found[0] if len(found) == 1 else None


def _becomes(
    pixels: PixelRange, targets: Sequence[PixelRange], factor: np.ndarray, shift: np.ndarray
) -> bool:
    """Return whether the pixels of a range become numbers of one of the target ranges."""
    ends = np.stack([shift + factor * pixels.low, shift + factor * pixels.high], axis=-1)
    return any(
        np.abs(ends - target).max() <= _NEAR * (target.high - target.low) for target in targets
    )


def _may_be_normalised(pixels: PixelRange, factor: np.ndarray, shift: np.ndarray) -> bool:
    """Return whether the pixels of a range may become normalised numbers.

    The mean and standard deviation by which they would be normalised must be such as numbers of
    this range can have: the variance is at most that of as many lowest and highest numbers.
    """
    mean, std = -shift / factor / pixels.high, 1 / factor / pixels.high
    is_possible = (mean > 0) & (mean < 1) & (std**2 <= mean * (1 - mean) * (1 + _NEAR))
    if (is_possible & (std >= _LEAST_STD)).all():
        return True
    means = -shift
    between = (means >= _MEANS[0]) & (means <= _MEANS[1])
    return pixels == BYTES and bool((np.abs(factor - 1) < _NEAR).all() and between.all())
