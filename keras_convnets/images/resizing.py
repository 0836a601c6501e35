"""Images of another size, and of other channels.

TensorFlow's antialiased scaling takes most of its time along the rows, where it goes from pixel to
pixel. So the columns become rows before they are scaled; the sums, and their order, are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from keras_convnets.images.cropping import Crop

BRIGHTEST = 255.0
KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}
"""The interpolations, and their names in TensorFlow."""
_RADII = {"bilinear": 1.0, "bicubic": 2.0}

Size = tuple[int, int]


def reach(scale: tf.Tensor, interpolation: str) -> tf.Tensor:
    """Return how many pixels of an image, to each side, count for one of the scaled image."""
    return _RADII[interpolation] * tf.maximum(1 / scale, 1.0)


def scaled(image: tf.Tensor, size: Size, interpolation: str, most: float) -> tf.Tensor:
    """Return an image, or a batch, of another size, as floats.

    Args:
        image: pixels from 0 to ``most``.
        size: its new rows and columns.
        interpolation: one of `KERNELS`. Bicubic interpolation overshoots at edges, and is clipped.
        most: the value of the brightest pixel.
    """
    given = tf.shape(image)[-3:-1]
    scale = np.array(size, np.float32) / tf.cast(given, tf.float32)
    return _both_ways(image, size, scale, tf.zeros(2), interpolation, most)


def cropped(window: tf.Tensor, crop: Crop, interpolation: str, most: float) -> tf.Tensor:
    """Return a crop of a scaled image, or of a batch, from the pixels in its window, as floats."""
    translation = tf.cast(crop.window[:2], tf.float32) * crop.scale - crop.place
    return _both_ways(window, crop.size, crop.scale, translation, interpolation, most)


def cropped_as_pillow(window: tf.Tensor, crop: Crop, interpolation: str, whole: bool) -> tf.Tensor:
    """Return a crop of a scaled image, or of a batch, as torchvision does it with Pillow.

    The columns are scaled first. Each side is scaled where it is in the image, not in the window,
    because the weights of the pixels are rounded otherwise elsewhere.

    Args:
        window: the pixels in the window of the crop, from 0 to 255.
        crop: the crop.
        interpolation: one of `KERNELS`.
        whole: whether the pixels are integers, which they stay after each of the two scalings.
    """
    images = window if window.shape.rank == 4 else window[tf.newaxis]
    for side in (1, 0):
        before = crop.window[side]
        after = crop.given[side] - before - crop.window[2 + side]
        images = tf.transpose(images, (0, 2, 1, 3))
        images = tf.pad(images, [[0, 0], [before, after], [0, 0], [0, 0]])
        place = (crop.size[side], crop.scale[side], -crop.place[side])
        images = _rows_scaled(images, *place, interpolation)
        if whole:
            images = _rounded(images, interpolation)
            images = tf.cast(images, tf.uint8) if side == 1 else images
    return images if window.shape.rank == 4 else images[0]


def _both_ways(
    image: tf.Tensor,
    size: Size,
    scale: tf.Tensor,
    translation: tf.Tensor,
    interpolation: str,
    most: float,
) -> tf.Tensor:
    images = image if image.shape.rank == 4 else image[tf.newaxis]
    for side in (0, 1):
        place = (size[side], scale[side], translation[side])
        images = _rows_scaled(images, *place, interpolation)
        images = tf.transpose(images, (0, 2, 1, 3))
    if interpolation == "bicubic":
        images = tf.clip_by_value(images, 0.0, most)
    return images if image.shape.rank == 4 else images[0]


def _rows_scaled(
    images: tf.Tensor, size: int, scale: tf.Tensor, translation: tf.Tensor, interpolation: str
) -> tf.Tensor:
    """Return a batch with other rows: a whole row, of all columns and channels, at a time."""
    many, rows, cols, channels = tf.unstack(tf.shape(images))
    lines = tf.raw_ops.ScaleAndTranslate(
        images=tf.reshape(images, (many, rows, 1, cols * channels)),
        size=(size, 1),
        scale=tf.stack([scale, 1.0]),
        translation=tf.stack([translation, 0.0]),
        kernel_type=KERNELS[interpolation],
        antialias=True,
    )
    lines = tf.reshape(lines, (many, size, cols, channels))
    return tf.ensure_shape(lines, (images.shape[0], size, *images.shape[2:]))


def _rounded(images: tf.Tensor, interpolation: str) -> tf.Tensor:
    images = tf.floor(images + 0.5)
    return tf.clip_by_value(images, 0.0, BRIGHTEST) if interpolation == "bicubic" else images


def coloured(image: tf.Tensor, channels: int) -> tf.Tensor:
    """Return an image of 1 to 4 channels in grey (1 channel) or in colour (3), without alpha."""
    has = image.shape[-1]
    colour = image[..., :3] if has >= 3 else image[..., :1]
    if channels == 1 and has >= 3:
        return _grey(tf.cast(colour, tf.float32))
    if channels == 3 and has < 3:
        return tf.repeat(colour, 3, axis=-1)
    return colour


def _grey(colour: tf.Tensor) -> tf.Tensor:
    """Convert a colour image to grey; an image that is already grey stays bit for bit the same.

    ``tf.image.rgb_to_grayscale`` would darken it, because its weights do not sum to 1.
    """
    red, green, blue = (colour[..., channel : channel + 1] for channel in range(3))
    return red + 0.587 * (green - red) + 0.114 * (blue - red)
