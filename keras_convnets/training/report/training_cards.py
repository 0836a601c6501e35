"""The part of a report that shows training images after their augmentations."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from keras_convnets import received
from keras_convnets.printable import printable
from keras_convnets.training.data.data import Data
from keras_convnets.training.report.augmented import tiles
from keras_convnets.training.report.pictures import Picture, picture


@dataclasses.dataclass(frozen=True)
class TrainingCard:
    """A training image, with a line for each class of its label."""

    picture: Picture
    lines: tuple[str, ...]


def training_cards(data: Data | Sequence[str], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's content about training images; nothing where they cannot be read now.

    Args:
        data: the data of the run; or the names of the classes, and there are no images.
        config: the configuration of the run, which knows its seed.
    """
    found: list[TrainingCard] = []
    if isinstance(data, Data):
        with contextlib.suppress(ValueError):  # files that are gone since
            for tile in tiles(data, _seed(config)):
                lines = tuple(tile.caption.split("\n"))
                found.append(TrainingCard(picture(tile.pixels, 1.0), lines))
    augmentation = printable(data.augmentation) if isinstance(data, Data) else None
    return {"training": found, "augmentation": augmentation}


def _seed(config: Mapping[str, Any]) -> int:
    settings = config.get("settings")
    seed = received.integer(settings.get("seed")) if isinstance(settings, Mapping) else None
    return seed if seed is not None and seed >= 0 else 0
