"""The random numbers of an epoch's changes: what happens to the image at each position."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from keras_convnets.training.data.augmentation import Augmentation
from keras_convnets.training.data.changes import geometry, randaugment
from keras_convnets.training.data.changes.boxes import box_around, boxes_within

Drawn = dict[str, np.ndarray]
_ERASED_AREAS, _ERASED_ASPECTS = (0.02, 1 / 3), (0.3, 1 / 0.3)
_TRIES = 10
_FIRST_STREAM = 16  # of random numbers, beside those of the shuffle, the crops and the sampling
_HUE = 0.25  # of the strength of the others, as in SimCLR and MoCo


def drawn(
    augmentation: Augmentation,
    images: int,
    image_shape: tuple[int, int, int],
    seed: int,
    epoch: int,
) -> Drawn:
    """Return what happens to the image at each position of an epoch, beside crops and flips.

    Each kind of change has random numbers of its own, which depend on the seed and the epoch alone.

    Args:
        augmentation: the changes.
        images: the positions of the epoch.
        image_shape: ``(channels, rows, cols)`` of the network's input.
        seed: the seed.
        epoch: the epoch.

    Returns:
        Arrays whose rows are positions, by name.
    """
    kinds: tuple[tuple[float, Callable[..., Drawn]], ...] = (
        (augmentation.rotation, _rotation),
        (augmentation.color_jitter, _jitter),
        (augmentation.randaugment, randaugment.drawn),
        (augmentation.erasing, _erasing),
        (augmentation.mixup or augmentation.cutmix, _mixing),
    )
    found: Drawn = {}
    for kind, (strength, draw) in enumerate(kinds, _FIRST_STREAM):
        if strength:
            random = np.random.default_rng((seed, epoch, kind))
            found |= draw(random, augmentation, images, image_shape)
    return found


def _rotation(
    random: np.random.Generator, augmentation: Augmentation, images: int, shape: tuple[int, ...]
) -> Drawn:
    angles = random.uniform(-augmentation.rotation, augmentation.rotation, images)
    return {"rotation": geometry.rotations(angles, *shape[1:])}


def _jitter(
    random: np.random.Generator, augmentation: Augmentation, images: int, _: tuple[int, ...]
) -> Drawn:
    strength = augmentation.color_jitter
    factors = random.uniform(1 - strength, 1 + strength, (images, 3))
    hues = random.uniform(-_HUE * strength, _HUE * strength, (images, 1))
    return {"jitter": np.concatenate([factors, hues], axis=1).astype(np.float32)}


def _erasing(
    random: np.random.Generator, augmentation: Augmentation, images: int, shape: tuple[int, ...]
) -> Drawn:
    """Return boxes, empty for images that are not erased."""
    _, rows, cols = shape
    is_erased = random.random(images) < augmentation.erasing
    boxes = np.zeros((images, 4), np.int32)
    left = np.flatnonzero(is_erased)
    thin, tall = map(math.log, _ERASED_ASPECTS)
    for _ in range(_TRIES):
        if not len(left):
            break
        areas = random.uniform(*_ERASED_AREAS, len(left)) * rows * cols
        aspects = np.exp(random.uniform(thin, tall, len(left)))
        sides = np.rint(np.sqrt([areas * aspects, areas / aspects])).astype(np.int32).T
        boxes[left] = boxes_within(sides, (rows, cols), random.random((len(left), 2)))
        left = left[np.any((sides < 1) | (sides >= (rows, cols)), axis=1)]
    boxes[left] = 0  # nothing fitted
    return {"erased": boxes}


def _mixing(
    random: np.random.Generator, augmentation: Augmentation, images: int, shape: tuple[int, ...]
) -> Drawn:
    """Return the share of each image that mixup keeps, the box that CutMix pastes, and the label's.

    With both, half of the images are for each: the others keep all, or have an empty box.
    """
    _, rows, cols = shape
    choice = random.random(images)
    centres = random.random((images, 2))
    mixup, cutmix = (
        random.beta(alpha, alpha, images) if alpha else np.ones(images)
        for alpha in (augmentation.mixup, augmentation.cutmix)
    )
    is_cut = np.full(images, bool(augmentation.cutmix))
    if augmentation.mixup:
        is_cut &= choice < 0.5
    boxes = box_around(centres, np.sqrt(1 - cutmix), (rows, cols))
    boxes[~is_cut] = 0
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = np.where(is_cut, 1, mixup)
    share = kept * (1 - areas / (rows * cols))
    return {
        "share": share.astype(np.float32),
        **({"mixed": kept.astype(np.float32)} if augmentation.mixup else {}),
        **({"pasted": boxes} if augmentation.cutmix else {}),
    }
