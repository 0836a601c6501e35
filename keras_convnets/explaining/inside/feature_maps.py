"""Feature maps: what the channels of a layer respond to in an image."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_convnets import axes, memory
from keras_convnets.explaining.batch_of import batch_of, check_model, parts_of
from keras_convnets.explaining.feature_layer import feature_layer
from keras_convnets.explaining.inside import maps_figure
from keras_convnets.explaining.reached import output_at
from keras_convnets.explaining.shown_results import Drawn
from keras_convnets.typed import typed

_BATCH = 32


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureMaps(Drawn):
    """The feature maps of a layer for some images.

    Attributes:
        layer: the name of the layer.
        stage: the name of its stage.
        maps: the feature maps, float32, `(images, channels, rows, cols)`, whatever the data format
            of the model.
        images: the images, `(images, channels, rows, cols)`.
    """

    layer: str
    stage: str
    maps: np.ndarray = dataclasses.field(repr=False)
    images: np.ndarray = dataclasses.field(repr=False)

    @property
    def dead(self) -> np.ndarray:
        """The channels that are zero at every place of every one of the images."""
        return np.flatnonzero(~self.maps.any(axis=(0, 2, 3)))

    @typed
    def figure(self, image: int = 0, channels: int | None = None) -> Figure:
        """Return the figure for one of the images: all channels as tiles of one colour scale.

        Channels stand in their order, from left to right and from top to bottom; the number before
        a row is that of its first channel. A channel that is zero everywhere is grey.

        Args:
            image: the index of the image.
            channels: how many channels to show: those that respond most strongly to the image, the
                strongest first, each with its number. By default, all of them in order.

        Raises:
            ValueError: there is no such image, or there are not as many channels.
        """
        if not 0 <= image < len(self.maps):
            raise ValueError(
                f"image: received {image}; expected 0 to {len(self.maps) - 1}, as there are "
                f"{len(self.maps)} images. Name one of them."
            )
        count = self.maps.shape[1]
        if channels is not None and not 1 <= channels <= count:
            raise ValueError(
                f"channels: received {channels}; expected 1 to {count}, as {self.layer} has "
                f"{count}. Leave it out for all of them."
            )
        return maps_figure.figure(self.layer, self.maps[image], self.images[image], channels)


@typed
def feature_maps(model: Any, images: Any, layer: str | None = None) -> FeatureMaps:
    """Return the feature maps of a layer, for any functional model, in inference.

    Args:
        model: a functional model or a built ``Sequential`` that takes images, in either data
            format.
        images: the images as the model takes them: prepared floats, `(images, rows, cols,
            channels)`, or channels first.
        layer: the name of a layer, or of a stage or block, whose last feature maps are taken; the
            names of nested models around it may be left out if the rest is unique. By default, the
            last stage.

    Returns:
        The maps as an array, with a figure.

    Raises:
        ValueError: the model is not functional or has no such layer, the layer outputs no feature
            maps, the images are not as the model takes them, or the maps are not finite.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import create_model, feature_maps
        >>> model = create_model("lenet_5")
        >>> found = feature_maps(model, np.zeros((2, 32, 32, 1), "float32"), "conv1")
        >>> found.layer, found.maps.shape
        ('conv1_pool', (2, 6, 14, 14))
        >>> found.plot("maps.png")
    """
    check_model(model)
    batch = batch_of(model, images)
    is_first = axes.format_of(model) == "channels_first"
    shape = axes.in_papers_order(batch.shape, "channels_first" if is_first else "channels_last")
    found = feature_layer(model, layer, [size or 0 for size in shape])
    with memory.explained("the feature maps of your images", "Give fewer images at a time"):
        parts = [
            output_at(model, batch[part], found.place) for part in parts_of(len(batch), _BATCH)
        ]
    maps = np.concatenate(parts)
    if not np.isfinite(maps).all():
        raise ValueError(
            f"model: the feature maps of {found.name} have NaN or infinity; expected numbers. "
            "Look for them in the model's weights."
        )
    if not is_first:
        maps, batch = np.moveaxis(maps, -1, 1), np.moveaxis(batch, -1, 1)
    return FeatureMaps(found.name, found.stage, maps, batch)
