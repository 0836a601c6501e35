"""Occlusion (Zeiler and Fergus 2014, arXiv:1311.2901): how much the class score falls where a patch
of the image is covered. It takes no gradient, and a pass of the network for each place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_convnets import checks
from keras_convnets.explaining.maps.baseline import baseline_of
from keras_convnets.explaining.maps.task import Maps, Task, none_flat

_SHARE = 8  # patches along the shorter side


def occlusion(
    task: Task, *, patch: int | None = None, stride: int | None = None, baseline: Any = 0.0
) -> Maps:
    """Give each pixel the mean fall of the score over the patches that cover it.

    Args:
        task: the images.
        patch: the side of the square that is covered, in pixels; by default an eighth of the
            shorter side of the images.
        stride: the pixels from one place to the next; by default half the patch.
        baseline: the colour of the patch, in the numbers that the network takes: one for all, or
            one a channel.
    """
    side = max(1, min(task.size) // _SHARE) if patch is None else patch
    checks.positive_integer("patch", side, "the side of the covered square in pixels, such as 16")
    step = (side + 1) // 2 if stride is None else stride
    checks.positive_integer("stride", step, "the pixels from one place to the next, such as 8")
    if side >= min(task.size) or step > side:
        raise ValueError(
            f"patch: received a patch of {side} at each {step} pixels, for images of "
            f"{task.size[0]} x {task.size[1]}; expected a smaller patch, and a stride of at most "
            "the patch. Leave patch and stride out for usual ones."
        )
    nothing = baseline_of(task, baseline)
    scores = task.scores.of(task.images)
    labels = task.labels_for(scores)
    windows = list(_windows(task.size, side, step))
    maps = [
        _falls(task, image, nothing, windows, int(label), float(of[label]))
        for image, label, of in zip(task.images, labels, scores, strict=True)
    ]
    return Maps(np.array(maps), scores, none_flat(task.images))


def _windows(size: tuple[int, int], side: int, step: int) -> Iterator[tuple[slice, slice]]:
    """Yield the squares, those that reach over an edge too: each pixel is covered as often."""
    starts = [range(step - side, length, step) for length in size]
    for row in starts[0]:
        for col in starts[1]:
            yield slice(max(row, 0), row + side), slice(max(col, 0), col + side)


def _falls(
    task: Task,
    image: np.ndarray,
    nothing: np.ndarray,
    windows: list[tuple[slice, slice]],
    label: int,
    whole: float,
) -> np.ndarray:
    falls, times = np.zeros(task.size, np.float64), np.zeros(task.size, np.float64)
    for start in range(0, len(windows), task.batch_size):
        some = windows[start : start + task.batch_size]
        batch = np.repeat(image[np.newaxis], len(some), axis=0)
        for covered, window in zip(batch, some, strict=True):
            at = (slice(None), *window) if task.scores.is_first else window
            covered[at] = nothing[at]
        scores = task.scores.of(batch)[:, label]
        for window, score in zip(some, scores, strict=True):
            falls[window] += whole - score
            times[window] += 1
    return (falls / times).astype(np.float32)
