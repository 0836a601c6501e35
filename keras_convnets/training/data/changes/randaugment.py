"""RandAugment (Cubuk et al. 2020): two operations an image, drawn from a list, of one magnitude."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.training.data.augmentation import Augmentation
from keras_convnets.training.data.changes import colours, geometry, levels
from keras_convnets.training.data.changes.by_kind import by_kind

OPERATIONS = (
    "identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "brightness",
    "contrast", "sharpness", "posterize", "solarize", "autocontrast", "equalize", "saturation",
)  # fmt: skip
"""The operations; grey images leave out the last."""

TIMES = 2
_MOST = 10.0
_MOVES = OPERATIONS[1:6]
# At the greatest magnitude, as in torchvision.
_SHEAR, _SHIFT, _DEGREES, _FACTOR, _BITS = 0.3, 150 / 331, 30.0, 0.9, 4
# A function for each operation, all moves having one.
_FUNCTIONS = (0, *(1,) * len(_MOVES), *range(2, len(OPERATIONS) - len(_MOVES) + 1))


def drawn(
    random: np.random.Generator, augmentation: Augmentation, images: int, shape: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Return the operations of each image, their directions, and the transforms of moves."""
    channels, rows, cols = shape
    known = len(OPERATIONS) - (channels != 3)
    operations = random.integers(known, size=(images, TIMES), dtype=np.int32)
    signs = np.where(random.random((images, TIMES)) < 0.5, -1, 1)
    share = augmentation.randaugment / _MOST
    return {
        "operations": operations,
        "signs": signs.astype(np.float32),
        "moves": _moves(operations, signs * share, rows, cols),
    }


def _moves(operations: np.ndarray, shares: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Return the transform of each operation; those that do not move anything have none."""
    transforms = np.zeros((*operations.shape, 8), np.float32)
    transforms[:] = geometry.IDENTITY
    makers: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "shear_x": lambda part: geometry.shears(_SHEAR * part, 0 * part),
        "shear_y": lambda part: geometry.shears(0 * part, _SHEAR * part),
        "translate_x": lambda part: geometry.shifts(np.trunc(_SHIFT * cols * part), 0 * part),
        "translate_y": lambda part: geometry.shifts(0 * part, np.trunc(_SHIFT * rows * part)),
        "rotate": lambda part: geometry.rotations(_DEGREES * part, rows, cols),
    }
    for name, make in makers.items():
        are = operations == OPERATIONS.index(name)
        transforms[are] = make(shares[are])
    return transforms


def randaugmented(
    pixels: tf.Tensor, found: Mapping[str, tf.Tensor], magnitude: float, fill: Sequence[float]
) -> tf.Tensor:
    """Return images after their operations.

    Args:
        pixels: (batch, rows, cols, channels), from 0 to 1.
        found: what `drawn` returned, for each image.
        magnitude: up to 10.
        fill: the colour of what was outside an image.
    """
    operate = _operating(magnitude / _MOST, tuple(fill))
    kinds = tf.gather(tf.constant(_FUNCTIONS), found["operations"])
    for time in range(TIMES):
        pixels = operate(pixels, kinds[:, time], found["signs"][:, time], found["moves"][:, time])
    return pixels


@functools.lru_cache(maxsize=4)
def _operating(share: float, fill: tuple[float, ...]) -> Callable[..., tf.Tensor]:
    """Return a function that does an operation on each image.

    Its graph is made once, which takes as long as some steps of training, not once an epoch.
    """

    def factor(change: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        return lambda images, signs, _: change(images, 1 + _FACTOR * share * signs)

    functions = (
        lambda images, *_: images,
        lambda images, _, moves: geometry.moved(images - fill, moves) + fill,
        factor(colours.brightness),
        factor(colours.contrast),
        factor(colours.sharpness),
        lambda images, *_: levels.posterize(images, 8 - round(_BITS * share)),
        lambda images, *_: levels.solarize(images, 1 - share),
        lambda images, *_: levels.autocontrast(images),
        lambda images, *_: levels.equalize(images),
        factor(colours.saturation),
    )
    return tf.function(
        lambda pixels, kinds, *numbers: by_kind(pixels, kinds, functions, numbers), autograph=False
    )
