"""The effective receptive field: the pixels that really move a unit, of all that it can see."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_convnets import axes, memory
from keras_convnets.analysis.receptive_field.receptive_field import receptive_field
from keras_convnets.explaining.batch_of import batch_of, check_model, parts_of
from keras_convnets.explaining.differentiation import gradient
from keras_convnets.explaining.feature_layer import FeatureLayer, feature_layer
from keras_convnets.explaining.gradients import field_figure
from keras_convnets.explaining.gradients.field_figure import THRESHOLD
from keras_convnets.explaining.reached import tensor_at
from keras_convnets.explaining.scores import to_numpy, to_tensor
from keras_convnets.explaining.shown_results import Drawn
from keras_convnets.graph.input_shapes import open_sizes
from keras_convnets.graph.walk import walk
from keras_convnets.typed import typed

_BATCH = 8
_RANDOM_IMAGES = 8
Box = tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True, eq=False)
class EffectiveField(Drawn):
    """The effective receptive field of the central unit of a layer.

    Attributes:
        layer: the name of the layer.
        unit: the row and column of the unit.
        influence: how much each pixel moves the unit, `(rows, cols)`: the size of its gradient at
            the pixel, summed over the image's channels, in the mean of the images, and divided by
            the largest.
        theoretical: the rows and columns of the theoretical receptive field, which may be larger
            than the image; ``None`` if it is unknown.
        seen: the first and last row and column of the pixels that the unit can see, which is the
            theoretical field within the image.
        images: the number of images.
    """

    layer: str
    unit: tuple[int, int]
    influence: np.ndarray = dataclasses.field(repr=False)
    theoretical: tuple[int, int] | None
    seen: Box
    images: int

    @property
    def mask(self) -> np.ndarray:
        """Whether each pixel is in the effective field: 4.55 % of the largest influence or more."""
        return self.influence > THRESHOLD

    @property
    def pixels(self) -> int:
        """The area of the effective field, in pixels."""
        return int(self.mask.sum())

    @property
    def side(self) -> float:
        """The square root of the area of the effective field: its size in Luo et al. (2016)."""
        return self.pixels**0.5

    @property
    def seen_pixels(self) -> int:
        """The area of what the unit can see within the image, in pixels."""
        (first_row, last_row), (first_col, last_col) = self.seen
        return (last_row - first_row + 1) * (last_col - first_col + 1)

    @property
    def ratio(self) -> float:
        """The area of the effective field over that of what the unit can see in the image."""
        return self.pixels / self.seen_pixels

    @property
    def std(self) -> tuple[float, float]:
        """The standard deviation of the influence over rows and over columns, in pixels."""
        return _spread(self.influence.sum(axis=1)), _spread(self.influence.sum(axis=0))

    @property
    def is_cut(self) -> bool:
        """Whether the image is smaller than the theoretical field, or the unit is near its end."""
        sizes = [last - first + 1 for first, last in self.seen]
        return self.theoretical is None or sizes != list(self.theoretical)

    def figure(self) -> Figure:
        """Return the figure: the influence of each pixel, and both fields."""
        return field_figure.figure(self)


def _spread(weights: np.ndarray) -> float:
    places = np.arange(len(weights))
    share = weights.astype(np.float64) / weights.sum()
    mean = float(share @ places)
    return float(share @ (places - mean) ** 2) ** 0.5


@typed
def effective_receptive_field(
    model: Any,
    layer: str | None = None,
    images: Any = None,
    input_shape: Sequence[int] | None = None,
    seed: int = 0,
) -> EffectiveField:
    """Measure the effective receptive field of the central unit of a layer, in inference.

    A unit can see all pixels of its theoretical field, but those at the centre reach it along many
    more paths than those at the border. The gradient of the unit, summed over its channels, with
    respect to the image has the shape of a Gaussian, whose size grows with the square root of the
    number of layers, while the theoretical field grows with the number (Luo, Li, Urtasun, Zemel
    2016, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks"). As
    there, a pixel belongs to the effective field if its gradient is more than 1 - 95.45 % of the
    largest one: two standard deviations.

    Args:
        model: a functional model or a built ``Sequential`` that takes images, in either data
            format.
        layer: the name of a layer, or of a stage or block, whose last feature maps are taken. By
            default, the last stage.
        images: the images as the model takes them, over which the gradient is averaged; by default,
            8 of normally distributed noise.
        input_shape: the ``(channels, rows, cols)`` of the noise, whatever the data format: larger
            than the model's own to see a field that its images are too small for, or for a model
            with unknown sizes.
        seed: of the noise.

    Returns:
        The influence of each pixel as an array, with its area, its ratio and a figure.

    Raises:
        ValueError: the model is not functional or has no such layer, the field of the layer is
            unknown, sizes are unknown, or no gradient reaches the image.

    Examples:
        >>> from keras_convnets import VggBuilder, effective_receptive_field
        >>> model = VggBuilder.build_vgg_11((3, 64, 64), 10)
        >>> found = effective_receptive_field(model, "conv3")
        >>> found.theoretical, found.influence.shape, found.ratio < 1
        ((30, 30), (64, 64), True)
    """
    check_model(model)
    shape = _shape(model, images, input_shape)
    found = feature_layer(model, layer, shape)
    unit = (found.size[0] // 2, found.size[1] // 2)
    field = receptive_field(model, found.name, input_shape=shape)
    seen = field.at(*unit)
    if None in seen or len(seen) != 2:
        raise ValueError(
            f"layer: received {found.name!r}, whose central unit sees only padding; expected one "
            "that sees pixels. Name another layer."
        )
    batch = _images(model, images, shape, seed)
    with memory.explained("the effective receptive field", "Pass fewer or smaller images"):
        influence = _influence(model, batch, found, unit)
    size = None if field.size is None else (field.size[0], field.size[1])
    boxes = tuple(pair for pair in seen if pair is not None)
    return EffectiveField(found.name, unit, influence, size, boxes, len(batch))


def _shape(model: Any, images: Any, wanted: Sequence[int] | None) -> tuple[int, ...]:
    """Return the ``(channels, rows, cols)`` of the images."""
    data_format = axes.format_of(model)
    if images is not None:
        if wanted is not None:
            raise ValueError(
                "input_shape: received one beside images, which have a shape; expected one of the "
                "two. Leave input_shape out."
            )
        return axes.in_papers_order(batch_of(model, images).shape, data_format)  # type: ignore
    [call] = [call for call in walk(model, wanted) if call.is_input]
    if None in call.shape:
        raise open_sizes(call)
    return tuple(size for size in call.shape if size is not None)


def _images(model: Any, images: Any, shape: tuple[int, ...], seed: int) -> np.ndarray:
    if images is not None:
        return batch_of(model, images)
    noise = np.random.default_rng(seed).standard_normal((_RANDOM_IMAGES, *shape), np.float32)
    return noise if axes.format_of(model) == "channels_first" else np.moveaxis(noise, 1, -1)


def _influence(
    model: Any, batch: np.ndarray, of: FeatureLayer, unit: tuple[int, int]
) -> np.ndarray:
    """Return the influence of each pixel, divided by the largest."""
    is_first = axes.format_of(model) == "channels_first"
    where = (..., *unit) if is_first else (slice(None), *unit)

    def response(x: Any) -> tuple[Any, None]:
        return keras.ops.sum(keras.ops.cast(tensor_at(model, x, of.place)[where], "float32")), None

    total: Any = 0
    for part in parts_of(len(batch), _BATCH):
        found, _ = gradient(response, to_tensor(batch[part]))
        if found is None:
            break
        sizes = np.abs(to_numpy(found).astype(np.float64))
        total = total + sizes.sum(axis=(0, 1 if is_first else 3))
    largest = float(np.max(total))
    if largest == 0 or not np.isfinite(largest):
        what = "is zero" if largest == 0 else "is NaN or infinite"
        raise ValueError(
            f"layer: the gradient of {of.name!r} at the image {what}; expected numbers. Its unit "
            "may be dead, or a layer before it have no gradient: name another layer, or pass other "
            "images."
        )
    return total / largest
