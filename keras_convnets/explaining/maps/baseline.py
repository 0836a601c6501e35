"""The image of nothing, against which a method compares."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_convnets.explaining.maps.task import Task
from keras_convnets.received import shown


def baseline_of(task: Task, given: Any) -> np.ndarray:
    """Return an image of one colour in the shape of the network's input.

    Args:
        task: the images.
        given: a number for all channels, or one for each, as the network takes them: 0 is the mean
            colour where images are normalised, and black where they are not.

    Raises:
        ValueError: it is neither.
    """
    shape = task.images.shape[1:]
    channels = shape[task.channel_axis - 1]
    try:
        colour = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        colour = np.array(np.nan)
    if colour.shape not in ((), (channels,)) or not np.isfinite(colour).all():
        raise ValueError(
            f"baseline: received {shown(given)}; expected a number, or {channels} of them, one a "
            "channel. Pass what the network takes for nothing, such as 0."
        )
    axes = (-1, 1, 1) if task.scores.is_first else (1, 1, -1)
    return np.broadcast_to(colour.reshape(axes), shape)
