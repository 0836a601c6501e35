"""Images of another size, and of other channels.

TensorFlow's antialiased scaling takes most of its time along the rows, where it goes from pixel to
pixel. So the columns become rows before they are scaled; the sums, and their order, are the same.
An image is a matrix meanwhile, a row or a column of all channels in each line, because a matrix of
numbers is transposed faster than one of pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from keras_convnets.images.cropping import Crop

BRIGHTEST = 255.0
KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}
"""The interpolations, and their names in TensorFlow."""
_COLOUR_AND_ALPHA = 4  # channels
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
    many, rows, cols, channels = _sides(window)
    lines = tf.reshape(window, (many, rows, cols * channels))

    def along(lines: tf.Tensor, side: int) -> tf.Tensor:
        before, pixels = crop.window[side], crop.window[2 + side]
        lines = tf.pad(lines, [[0, 0], [before, crop.given[side] - before - pixels], [0, 0]])
        place = (crop.size[side], crop.scale[side], -crop.place[side])
        return _scaled_along(lines, *place, interpolation)

    lines = along(_to_columns(lines, (many, cols, channels * rows)), 1)
    lines = _bytes(lines, interpolation) if whole else lines
    lines = along(_to_rows(lines, (many, crop.size[1] * channels, rows)), 0)
    lines = _rounded(lines, interpolation) if whole else lines
    return _image(lines, window, crop.size)


def _both_ways(
    image: tf.Tensor,
    size: Size,
    scale: tf.Tensor,
    translation: tf.Tensor,
    interpolation: str,
    most: float,
) -> tf.Tensor:
    many, rows, cols, channels = _sides(image)
    (height, width), lines = size, tf.reshape(image, (many, rows, cols * channels))
    lines = _scaled_along(lines, height, scale[0], translation[0], interpolation)
    lines = _to_columns(lines, (many, cols, channels * height))
    lines = _scaled_along(lines, width, scale[1], translation[1], interpolation)
    lines = _to_rows(lines, (many, width * channels, height))
    if interpolation == "bicubic":
        lines = tf.clip_by_value(lines, 0.0, most)
    return _image(lines, image, size)


def _sides(image: tf.Tensor) -> tuple[Any, tf.Tensor, tf.Tensor, int]:
    """Return how many images there are, their rows and columns, and their channels."""
    shape = tf.shape(image)
    return 1 if image.shape.rank == 3 else shape[0], shape[-3], shape[-2], image.shape[-1]


def _to_columns(lines: tf.Tensor, shape: Any) -> tf.Tensor:
    """Return lines that are columns of images, (many, cols, channels * rows), from rows."""
    return tf.reshape(tf.transpose(lines, (0, 2, 1)), shape)


def _to_rows(lines: tf.Tensor, shape: Any) -> tf.Tensor:
    """Return lines that are rows of images from columns, as (many, cols * channels, rows)."""
    return tf.transpose(tf.reshape(lines, shape), (0, 2, 1))


def _image(lines: tf.Tensor, given: tf.Tensor, size: Size) -> tf.Tensor:
    """Return the image, or the batch, whose rows are the lines."""
    *many, _, _, channels = given.shape
    count = [tf.shape(given)[0]] if many else []
    return tf.ensure_shape(tf.reshape(lines, (*count, *size, channels)), (*many, *size, channels))


def _scaled_along(
    lines: tf.Tensor, size: int, scale: tf.Tensor, translation: tf.Tensor, interpolation: str
) -> tf.Tensor:
    """Return another number of lines, (many, size, ...): each whole line at a time."""
    lines = tf.raw_ops.ScaleAndTranslate(
        images=tf.expand_dims(lines, 2),
        size=(size, 1),
        scale=tf.stack([scale, 1.0]),
        translation=tf.stack([translation, 0.0]),
        kernel_type=KERNELS[interpolation],
        antialias=True,
    )
    return tf.squeeze(lines, 2)


def _bytes(lines: tf.Tensor, interpolation: str) -> tf.Tensor:
    """Return what `_rounded` does as bytes, which are cut off after the point."""
    return tf.cast(_clipped(lines + 0.5, interpolation), tf.uint8)


def _rounded(lines: tf.Tensor, interpolation: str) -> tf.Tensor:
    return _clipped(tf.floor(lines + 0.5), interpolation)


def _clipped(lines: tf.Tensor, interpolation: str) -> tf.Tensor:
    return tf.clip_by_value(lines, 0.0, BRIGHTEST) if interpolation == "bicubic" else lines


def coloured(image: tf.Tensor, channels: int) -> tf.Tensor:
    """Return an image of 1 to 4 channels in grey (1 channel) or in colour (3), without alpha.

    An image that has the channels already, however many, stays as it is.

    Raises:
        ValueError: it cannot be converted: only grey and colour are, into each other.
    """
    has = image.shape[-1]
    if has == channels:
        return image
    if channels not in (1, 3) or has > _COLOUR_AND_ALPHA:
        raise ValueError(
            f"images: received {has} channels; expected {channels}, as the network takes them. "
            "Pass images with as many."
        )
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
