"""What the network looked at in some test images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_convnets.axes import format_of
from keras_convnets.explaining.explain import explain
from keras_convnets.explaining.figure.look import overlay, relative, scale_of
from keras_convnets.explaining.taken import pictures as shown_images
from keras_convnets.printable import one_line
from keras_convnets.training.report import pictures
from keras_convnets.training.report.pictures import Picture
from keras_convnets.training.report.tested import Tested

_TOGETHER = 8  # images that the network takes at once

Look = tuple[int, int]
"""The index of an image, and the label of the class that is explained."""


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """The maps of some images.

    Attributes:
        maps: each image under its map, by its index and class.
        note: what the maps are, or why there are none; empty if the images are not known.
    """

    maps: Mapping[Look, Picture]
    note: str = ""


def looked_at(
    model: Any, about: Tested, looks: Sequence[Look], what: str = "predicted class"
) -> LookedAt:
    """Return what the score of a class came from, by Grad-CAM, for each of some images.

    Args:
        model: the trained model.
        about: the test images.
        looks: the images and classes.
        what: what the class is, in words.
    """
    prepare, images = about.preprocessing, about.images
    if images is None or prepare is None or not looks:
        return LookedAt({})
    try:
        batch = np.stack([np.asarray(prepare(images.read(np.int64(one)))) for one, _ in looks])
        batch = batch.transpose(0, 3, 1, 2) if format_of(model) == "channels_first" else batch
        labels = [label for _, label in looks]
        found = explain(model, batch, class_index=labels, batch_size=_TOGETHER)
    except Exception as error:  # of anybody's layers; the report is written all the same
        return LookedAt({}, f"No maps of what the network looked at: {one_line(error)}")
    seen = shown_images(batch, format_of(model) == "channels_first", prepare)
    shares, scale = relative(found.maps, is_fine=False), scale_of(found)
    maps = {
        look: pictures.picture(overlay(seen[number], shares[number], scale), 1.0)
        for number, look in enumerate(looks)
    }
    note = (
        f"Beside each image, what the score of the {what} came from, by Grad-CAM at "
        f"{found.layer}: yellow is most, and grey is nothing. See keras-convnets explain."
    )
    return LookedAt(maps, note)
