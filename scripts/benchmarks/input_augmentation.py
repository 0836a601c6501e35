"""What each augmentation costs, beside the crop and flip alone."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from benchmarks.tables import show
from benchmarks.turns import in_turn
from keras_convnets.training import STRENGTHS, Data, training_batches

_CROP = "crop-flip"
_TOGETHER = f"{_CROP}+randaugment:7+erasing:0.25+mixup:0.2+cutmix:1"
_SIZES = ((32, 128, 1280), (224, 32, 128))  # rows and columns, batch, images an epoch
_HEADING = ("augmentation", "image", "batch", "CPU ms an image", "images/s of a CPU", "beside crop")


def report_augmentations(rounds: int) -> None:
    """Print the CPU time that a training image takes, for each augmentation in turn."""
    print()
    names = [_CROP, *(f"{_CROP}+{name}" for name in STRENGTHS), _TOGETHER]
    rows = (row for size in _SIZES for row in _rows(names, *size, rounds))
    show(_HEADING, rows, (_TOGETHER, "3 x 224 x 224"))


def _rows(names: list[str], side: int, batch: int, images: int, rounds: int) -> list[list[str]]:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (images + 10, side, side, 3), np.uint8)
    plain = Data.from_arrays(pixels, np.arange(images + 10) % 10, pixels[:10], np.arange(10))

    def epoch(name: str) -> None:
        data = dataclasses.replace(plain, augmentation=name)
        for _ in training_batches(data, batch, seed=0, epoch=0):
            pass

    calls = [lambda name=name: epoch(name) for name in names]
    seconds = in_turn(calls, rounds, warm_ups=1, clock=time.process_time)
    return [
        [
            name,
            f"3 x {side} x {side}",
            str(batch),
            f"{1000 * took / images:.3f}",
            f"{images / took:,.0f}",
            f"{took / seconds[0]:.1f}",
        ]
        for name, took in zip(names, seconds, strict=True)
    ]
