"""Random augmentation of training images, as in the papers."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the names are known without TensorFlow, which takes seconds to import
    import tensorflow as tf

_TRIES = 10
_AREAS = (0.08, 1.0)
_ASPECTS = (3 / 4, 4 / 3)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The random changes made to each training image.

    The methods make the crops and flips. The caller passes in the random numbers, ``numbers`` of
    them per image, so the result depends on nothing else.

    Attributes:
        pad: pixels of padding on each side, followed by a random crop of the original size. The
            padding is 0 after normalisation, which is the mean colour.
        flip: mirror half of the images horizontally.
        random_resized_crop: crop 8 to 100 % of the area, with an aspect ratio of 3:4 to 4:3, and
            resize the crop.
        rotation: rotate by at most so many degrees, in either direction; 0 for not at all, as in
            all that follow.
        color_jitter: change brightness, contrast and saturation by at most this share, and the hue
            by at most a quarter of it.
        randaugment: the magnitude of two operations of RandAugment, up to 10.
        erasing: the probability that a rectangle is erased.
        mixup: alpha of the Beta distribution from which mixup draws the images' shares.
        cutmix: alpha of the Beta distribution from which CutMix draws the areas.
    """

    pad: int = 0
    flip: bool = False
    random_resized_crop: bool = False
    rotation: float = 0.0
    color_jitter: float = 0.0
    randaugment: float = 0.0
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0

    @property
    def mixes(self) -> bool:
        """Whether images are mixed in pairs, so that a label is a share of each class."""
        return bool(self.mixup or self.cutmix)

    @property
    def numbers(self) -> int:
        """The number of random numbers per image that crops and flips need, uniform in [0, 1)."""
        return 3 + (2 * _TRIES + 2) * self.random_resized_crop

    def shifted(self, images: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Return a batch of preprocessed images after padding, cropping and flipping.

        Random crops that have been resized are flipped before, by `mirrored`.

        Args:
            images: (batch, rows, cols, channels).
            numbers: (batch, ``self.numbers``), each in [0, 1).
        """
        if self.random_resized_crop or not (self.pad or self.flip):
            return images
        import tensorflow as tf

        _, rows, cols, channels = images.shape
        offsets = tf.cast(numbers[:, :2] * (2 * self.pad + 1), tf.int32)
        row_numbers = offsets[:, :1] + tf.range(rows)
        col_numbers = offsets[:, 1:] + tf.range(cols)
        if self.flip:
            mirrored = tf.reverse(col_numbers, axis=[1])
            col_numbers = tf.where(numbers[:, 2:3] < 0.5, mirrored, col_numbers)
        # Padding whole rows and gathering from one flat list of pixels are both fast.
        sides = [[0, 0], [self.pad, self.pad], [self.pad * channels, self.pad * channels]]
        padded = tf.pad(tf.reshape(images, (-1, rows, cols * channels)), sides)
        first_rows = tf.range(tf.shape(padded)[0])[:, tf.newaxis] * (rows + 2 * self.pad)
        starts = (first_rows + row_numbers) * (cols + 2 * self.pad)
        picked = starts[:, :, tf.newaxis] + col_numbers[:, tf.newaxis, :]
        return tf.gather(tf.reshape(padded, (-1, channels)), picked)

    def window(self, sizes: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Return where in an image is the crop that will be resized.

        Args:
            sizes: the rows and columns of the image, int32.
            numbers: (``self.numbers``,), each in [0, 1).

        Returns:
            The first row and column of the crop, its rows and its columns, int32.
        """
        import tensorflow as tf

        part = _part(tf.cast(sizes, tf.float32), numbers[5:])
        offsets = tf.cast(numbers[3:5] * tf.cast(sizes - part + 1, tf.float32), tf.int32)
        return tf.concat([tf.minimum(offsets, sizes - part), part], axis=0)

    def cut_out(self, image: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Return the crop of one image, not yet preprocessed, that will be resized.

        Args:
            image: (rows, cols, channels).
            numbers: (``self.numbers``,), each in [0, 1).
        """
        if not self.random_resized_crop:
            return image
        import tensorflow as tf

        top, left, rows, cols = tf.unstack(self.window(tf.shape(image)[:2], numbers))
        return image[top : top + rows, left : left + cols]

    def mirrored(self, image: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Return the crop of one image, flipped or not."""
        import tensorflow as tf

        if not self.flip:
            return image
        return tf.cond(numbers[2] < 0.5, lambda: tf.reverse(image, [1]), lambda: image)


def _part(sizes: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Return rows and cols of the first try that fits in the image, or of a fallback crop."""
    import tensorflow as tf

    areas, aspects = tf.split(numbers, 2)
    areas = tf.reduce_prod(sizes) * (_AREAS[0] + (_AREAS[1] - _AREAS[0]) * areas)
    low, high = map(math.log, _ASPECTS)
    aspects = tf.exp(low + (high - low) * aspects)  # cols / rows
    tries = tf.round(tf.sqrt(tf.stack([areas / aspects, areas * aspects], axis=1)))
    fits = tf.reduce_all((tries >= 1) & (tries <= sizes), axis=1)
    rows, cols = tf.unstack(sizes)
    whole = tf.stack([tf.minimum(rows, cols / _ASPECTS[0]), tf.minimum(cols, rows * _ASPECTS[1])])
    first = tries[tf.argmax(fits)]
    return tf.cast(tf.where(tf.reduce_any(fits), first, tf.floor(whole)), tf.int32)


AUGMENTATIONS = {
    "none": Augmentation(),
    "shift": Augmentation(pad=3),
    "crop": Augmentation(pad=4),
    "crop-flip": Augmentation(pad=4, flip=True),
    "resized-crop": Augmentation(flip=True, random_resized_crop=True),
}
"""The crops and flips by name, as ``load_data(..., augmentation="crop-flip")`` takes them.

Any name of ``STRENGTHS`` may follow, with its strength: ``"crop-flip+rotation:15+mixup:0.2"``.
"""
