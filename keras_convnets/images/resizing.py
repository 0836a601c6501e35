"""Images of another size, whole or their middle, and of other channels."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

BRIGHTEST = 255.0
KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}
"""The interpolations, and their names in TensorFlow."""

Size = tuple[int, int]


def scaled(image: tf.Tensor, size: Size | tf.Tensor, interpolation: str, most: float) -> tf.Tensor:
    """Return an image, or a batch, of another size.

    Args:
        image: pixels from 0 to ``most``.
        size: its new rows and columns.
        interpolation: one of `KERNELS`. Bicubic interpolation overshoots at edges, and is clipped.
        most: the value of the brightest pixel.
    """
    image = tf.image.resize(image, size, interpolation, antialias=True)
    return tf.clip_by_value(image, 0.0, most) if interpolation == "bicubic" else image


def middle(
    image: tf.Tensor, size: Size, margin: float, interpolation: str, most: float
) -> tf.Tensor:
    """Return a centre crop of ``size``, of an image scaled to fit ``margin`` times that size."""
    target = np.round(np.array(size) * margin)
    given = tf.cast(tf.shape(image)[-3:-1], tf.float32)
    factor = tf.reduce_max(tf.cast(target, tf.float32) / given)
    sizes = tf.maximum(tf.cast(tf.round(given * factor), tf.int32), tf.cast(target, tf.int32))
    image = scaled(image, sizes, interpolation, most)
    top, left = tf.unstack((sizes - size) // 2)
    return image[..., top : top + size[0], left : left + size[1], :]


def cropped(
    image: tf.Tensor, size: Size, shorter_side: int, interpolation: str, whole: bool
) -> tf.Tensor:
    """Return a centre crop of an image that is scaled as torchvision does it with Pillow.

    The longer side is rounded down, and the place of the crop to the even number if it is in the
    middle of two. The columns are scaled first. Only the crop is computed, so a very long image
    takes no more memory.

    Args:
        image: an image, or a batch, with pixels from 0 to 255.
        size: the rows and columns of the crop.
        shorter_side: the size that the shorter side is scaled to.
        interpolation: one of `KERNELS`.
        whole: whether the pixels are integers, which they stay after each of the two scalings.
    """
    given = tf.cast(tf.shape(image)[-3:-1], tf.int64)
    sizes = given * shorter_side // tf.reduce_min(given)
    place = tf.round(tf.cast(sizes - size, tf.float32) / 2)
    scale = tf.cast(sizes, tf.float32) / tf.cast(given, tf.float32)
    images = image if image.shape.rank == 4 else image[tf.newaxis]
    for rows, change in ((tf.shape(image)[-3], (0.0, 1.0)), (size[0], (1.0, 0.0))):
        images = tf.raw_ops.ScaleAndTranslate(
            images=images,
            size=(rows, size[1]),
            scale=tf.where(tf.cast(change, tf.bool), scale, 1.0),
            translation=-place * change,
            kernel_type=KERNELS[interpolation],
            antialias=True,
        )
        if whole:
            images = tf.clip_by_value(tf.floor(images + 0.5), 0.0, BRIGHTEST)
    return images if image.shape.rank == 4 else images[0]


def coloured(image: tf.Tensor, channels: int) -> tf.Tensor:
    """Return an image of 1 to 4 channels in grey (1 channel) or in colour (3), without alpha."""
    has = image.shape[-1]
    colour = image[..., :3] if has >= 3 else image[..., :1]
    if channels == 1 and has >= 3:
        return _grey(colour)
    if channels == 3 and has < 3:
        return tf.image.grayscale_to_rgb(colour)
    return colour


def _grey(colour: tf.Tensor) -> tf.Tensor:
    """Convert a colour image to grey; an image that is already grey stays bit for bit the same.

    ``tf.image.rgb_to_grayscale`` would darken it, because its weights do not sum to 1.
    """
    red, green, blue = (colour[..., channel : channel + 1] for channel in range(3))
    return red + 0.587 * (green - red) + 0.114 * (blue - red)
