"""Images to compare with where none are given: parts of two photographs, in many lights.

They are always the same. Noise alone would not do: to a trained network it is one class.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

COUNT = 24
_SEED = 17
_SIZES, _TOGETHER = ((300, 400), (97, 64)), 8  # images of each size make batches; then any
_GAMMAS = (1.0, 0.5, 2.0, 1.0)
_CONTRASTS = (1.0, 0.6, 1.0, 0.3)


@functools.cache
def _photographs() -> tuple[np.ndarray, ...]:
    from sklearn.datasets import load_sample_images

    return tuple(load_sample_images().images)


def synthetic_images(channels: int) -> list[np.ndarray]:
    """Return images, (rows, cols, channels) of uint8, of many sizes.

    Args:
        channels: how many each has: 3 for colour, 1 for grey; others repeat the colours.

    Examples:
        >>> images = synthetic_images(1)
        >>> len(images), images[0].shape, str(images[0].dtype)
        (24, (300, 400, 1), 'uint8')
    """
    random = np.random.default_rng(_SEED)
    photographs = _photographs()
    return [
        _with_channels(_varied(photographs[number % 2], number, random), channels)
        for number in range(COUNT)
    ]


def _varied(photograph: np.ndarray, number: int, random: np.random.Generator) -> np.ndarray:
    """Return a part of a photograph, turned, coloured, darker or brighter, or a negative."""
    sides = photograph.shape[:2]
    if number < _TOGETHER * len(_SIZES):
        rows, cols = _SIZES[number // _TOGETHER]
    else:
        rows, cols = (int(random.integers(side // 6, side)) for side in sides)
    top, left = (
        int(random.integers(0, side - part + 1))
        for side, part in zip(sides, (rows, cols), strict=True)
    )
    image: Any = photograph[top : top + rows, left : left + cols]
    turns = number // 4
    image = np.rot90(image, 2 * turns)[..., np.roll(np.arange(3), turns)]
    light = (image / 255.0) ** _GAMMAS[number % 4]
    light = 0.5 + (light - 0.5) * _CONTRASTS[number % 4]
    if number % 5 == 4:
        light = 1 - light
    return np.rint(255 * light).astype(np.uint8)


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    if channels == 1:
        return np.rint(image @ [0.299, 0.587, 0.114]).astype(np.uint8)[..., np.newaxis]
    return np.ascontiguousarray(image[..., np.arange(channels) % 3])
