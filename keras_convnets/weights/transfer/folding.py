"""Moving a change of the images into the first convolution, so that all networks take the same.

The weights of some sources expect other images than those that a model is given: channels in the
order blue, green, red, or normalised by another mean and deviation. Both can be moved into the
kernel that the images meet first, and the outputs stay the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_convnets.weights.placing.model_layers import before, variables_of
from keras_convnets.weights.placing.placement import Placement, Value


class Stem(NamedTuple):
    """The first convolution of a model.

    Attributes:
        name: its name, without the scope.
        offset: the weight to which a constant can be added after it, as ``layer/variable``: its
            bias, or the moving mean of the normalisation that follows; ``None`` if there is none.
        padded: whether it also sees zeros beyond the edges of the image.
    """

    name: str
    offset: str | None
    padded: bool


def stem_of(layers: Mapping[str, Any]) -> Stem:
    """Return the first convolution of a model.

    Args:
        layers: the layers of the model that have weights, by name without the scope: see
            `model_layers.layers_of`.

    Raises:
        ValueError: if the first of them is not a convolution in two dimensions.
    """
    name, layer = next(iter(layers.items()), ("", None))
    if not isinstance(layer, keras.layers.Conv2D):
        raise ValueError(
            f"model: received one whose first layer with weights is {name or None!r}; expected a "
            "Conv2D, into which a change of the images can be folded. Use a network of this "
            "package."
        )
    if "bias" in variables_of(layer):
        return Stem(name, f"{name}/bias", _is_padded(layer))
    after = [one for one, other in layers.items() if before(other) is layer and _normalises(other)]
    return Stem(name, f"{after[0]}/moving_mean" if after else None, _is_padded(layer))


def fold_bgr(placement: Placement, stem: Stem) -> Placement:
    """Let weights for images of blue, green, red take red, green, blue instead.

    The channels of the first kernel are reversed, which is exact whatever its padding.
    """
    full = f"{stem.name}/kernel"
    values = dict(placement.values)
    if full in values:
        values[full] = dataclasses.replace(values[full], array=values[full].array[:, :, ::-1])
    return dataclasses.replace(placement, values=values, bgr=False)


def fold_input(
    placement: Placement, stem: Stem, scale: Sequence[float], offset: Sequence[float]
) -> Placement:
    """Let weights for images ``scale * x + offset`` take the images ``x``.

    The kernel is multiplied by the scale, and its response to the offset is added after it. Where
    the convolution is padded, it sees zeros beyond the edges, to which no offset was added: then
    an offset cannot be folded.

    Args:
        placement: the weights, before they are adapted to other channels.
        stem: the first convolution, from `stem_of`.
        scale: a factor for each channel.
        offset: what is added to each channel after it was scaled.

    Raises:
        ValueError: if the numbers of channels differ, or the offset cannot be folded.
    """
    full = f"{stem.name}/kernel"
    if full not in placement.values:
        return placement
    array = placement.values[full].array
    kernel = array.astype(np.float64)
    factors, constants = np.asarray(scale, np.float64), np.asarray(offset, np.float64)
    if not factors.shape == constants.shape == kernel.shape[2:3]:
        raise ValueError(
            f"weights: received a first kernel of {kernel.shape[2]} channels for images of "
            f"{factors.size}; expected as many. Load the weights into a network without the change "
            "of the images."
        )
    folded = {full: kernel * factors[:, np.newaxis]}
    if constants.any():
        added = np.einsum("rcio,i->o", kernel, constants)
        target = _offset_of(stem, placement, constants)
        if placement.values[target].array.shape != added.shape:
            return placement  # one of them is not of the model's shape, which is refused later
        sign = -1 if target.endswith("moving_mean") else 1  # the mean is subtracted
        folded[target] = placement.values[target].array.astype(np.float64) + sign * added
    values = dict(placement.values)
    dtype = np.promote_types(array.dtype, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite values are refused later
        for name, value in folded.items():
            values[name] = Value(value.astype(dtype), values[name].key)
    return dataclasses.replace(placement, values=values)


def renormalising(
    given: tuple[Sequence[float], Sequence[float]],
    expected: tuple[Sequence[float], Sequence[float]],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the scale and offset from images of one mean and deviation to those of another.

    Args:
        given: the mean and the deviation of each channel with which images are normalised.
        expected: those with which the weights were trained.

    Examples:
        Inception-v3 of torchvision rescales images of ImageNet's mean and deviation to -1 to 1.

        >>> imagenet = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        >>> scale, offset = renormalising(imagenet, ((0.5,) * 3, (0.5,) * 3))
        >>> [f"{value:.3f}" for value in (*scale, *offset)]
        ['0.458', '0.448', '0.450', '-0.030', '-0.088', '-0.188']
    """
    channels = list(zip(*given, *expected, strict=True))
    scale = tuple(deviation / other for _, deviation, _, other in channels)
    offset = tuple((mean - other) / deviation for mean, _, other, deviation in channels)
    return scale, offset


def _offset_of(stem: Stem, placement: Placement, constants: np.ndarray) -> str:
    """Return the weight after the first convolution to which its response to an offset goes."""
    received = f"weights: received ones for images shifted by {constants.round(3).tolist()}"
    if stem.padded:
        raise ValueError(
            f"{received}, and {stem.name}, which pads images with zeros; expected a first "
            "convolution without padding. Shift the images in their preprocessing instead."
        )
    if stem.offset is None or stem.offset not in placement.values:
        raise ValueError(
            f"{received}, but no bias or normalisation after {stem.name}; expected one to take the "
            "shift. Shift the images in their preprocessing instead."
        )
    return stem.offset


def _is_padded(layer: keras.layers.Conv2D) -> bool:
    if layer.padding == "same" and max(layer.kernel_size) > 1:
        return True
    return isinstance(before(layer), keras.layers.ZeroPadding2D)


def _normalises(layer: Any) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)
