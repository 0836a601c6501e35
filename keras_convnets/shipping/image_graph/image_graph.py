"""The preprocessing of images from operations that every runtime of exported files has.

`Preprocessing` resizes with operations of TensorFlow alone. Here an image is scaled by two matrix
products, of its columns and then of its rows, as Pillow does, with weights that the graph computes
from the size of the image. Only the pixels that a centre crop needs are read, and a strip of
them at a time, so that no copy of a large photograph in floats is ever made.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.resizing import BRIGHTEST
from keras_convnets.shipping.image_graph.weights import Side, Strip, strips

SCOPE = "preprocessing"
"""What the names of the operations start with, so that others tell them from the network's."""
_COLOURS = 3


def channels_of(preprocessing: Preprocessing) -> int:
    """Return the channels of the images that the graph takes: 3 for grey networks, too.

    So every image can be given as decoders return it, in red, green and blue. A network of
    neither grey nor coloured images takes its own channels.
    """
    return _COLOURS if preprocessing.channels == 1 else preprocessing.channels


def image_graph(preprocessing: Preprocessing) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the preprocessing as a function that every converter can read.

    Its result is that of the preprocessing within rounding. Where that rounds to whole levels of
    a pixel (``shorter_side``), a value halfway between two can become the other.

    Args:
        preprocessing: the preprocessing, of any ``resize`` and ``interpolation``.

    Returns:
        A function from pixels, uint8, (images, rows, cols, channels) with any number of images,
        rows and columns and the channels of `channels_of`, to the network's input, float32,
        (images, rows, cols, channels).

    Examples:
        >>> import numpy as np
        >>> from keras_convnets.images.preprocessing import Preprocessing
        >>> preprocessing = Preprocessing(3, 32, 32, resize="crop", shorter_side=40)
        >>> prepared = image_graph(preprocessing)
        >>> prepared(np.full((2, 50, 70, 3), 255, "uint8")).shape
        TensorShape([2, 32, 32, 3])
    """

    def prepared(images: tf.Tensor) -> tf.Tensor:
        with tf.name_scope(SCOPE):
            images = tf.convert_to_tensor(images)
            rows, cols = _sides(preprocessing, tf.shape(images)[1:3])
            lines = _columns(images, rows, strips(cols), preprocessing)
            lines = _rows(_rounded(lines, preprocessing), rows, strips(rows))
            return _finished(_limited(_rounded(lines, preprocessing), preprocessing), preprocessing)

    return prepared


def _sides(preprocessing: Preprocessing, given: tf.Tensor) -> tuple[Side, Side]:
    """Return the rows and the columns of images of a size."""
    crop = preprocessing.crop_of(given)
    size = (preprocessing.rows, preprocessing.cols)
    if crop is None:
        scale = np.array(size, np.float32) / tf.cast(given, tf.float32)
        window, translation = tf.concat([[0, 0], given], axis=0), tf.zeros(2)
        origin = window[:2]
    elif preprocessing.shorter_side is not None:
        scale, window, translation = crop.scale, crop.window, -crop.place
        origin = tf.zeros(2, tf.int32)
    else:
        scale, window, origin = crop.scale, crop.window, crop.window[:2]
        translation = tf.cast(origin, tf.float32) * scale - crop.place
    inverse = 1 / scale
    start = -inverse * translation

    def side(axis: int) -> Side:
        return Side(
            *(window[axis], window[2 + axis], inverse[axis], start[axis], origin[axis]),
            *(size[axis], preprocessing.interpolation),
        )

    return side(0), side(1)


def _columns(
    images: tf.Tensor, rows: Side, parts: list[Strip], preprocessing: Preprocessing
) -> tf.Tensor:
    """Return the rows that are needed with their columns scaled, (images, rows, cols * channels).

    A row is a vector of pixels, and a pixel some neighbours in it; so its matrix has the weight of
    a pixel once for each channel.
    """
    channels, last = channels_of(preprocessing), rows.first + rows.pixels
    places = np.eye(channels, dtype=np.float32)
    if preprocessing.channels == 1:
        places = np.ones((1, 1), np.float32)
    elif preprocessing.order == "BGR":
        places = places[:, ::-1]
    scaled = []
    for first, end, weights in parts:
        strip = tf.cast(images[:, rows.first : last, first:end, :], tf.float32)
        strip = _grey(strip) if preprocessing.channels == 1 else strip
        pixels = (end - first) * len(places)
        matrix = weights[:, tf.newaxis, :, tf.newaxis] * places[:, np.newaxis, :]
        matrix = tf.reshape(matrix, (pixels, weights.shape[1] * preprocessing.channels))
        scaled.append(tf.matmul(tf.reshape(strip, (-1, pixels)), matrix))
    lines = tf.concat(scaled, axis=1)
    return tf.reshape(lines, (-1, rows.pixels, preprocessing.cols * preprocessing.channels))


def _rows(lines: tf.Tensor, rows: Side, parts: list[Strip]) -> tf.Tensor:
    """Return lines with the rows scaled, (images, rows, ...)."""
    scaled = []
    for first, end, weights in parts:
        strip = lines[:, first - rows.first : end - rows.first]
        scaled.append(tf.matmul(tf.transpose(weights)[tf.newaxis], strip))
    return tf.concat(scaled, axis=1)


def _grey(colour: tf.Tensor) -> tf.Tensor:
    red, green, blue = (colour[..., channel : channel + 1] for channel in range(3))
    return red + 0.587 * (green - red) + 0.114 * (blue - red)


def _rounded(lines: tf.Tensor, preprocessing: Preprocessing) -> tf.Tensor:
    """Return whole levels of pixels where the preprocessing rounds as Pillow does."""
    if preprocessing.shorter_side is None:
        return lines
    return _limited(tf.floor(lines + 0.5), preprocessing)


def _limited(lines: tf.Tensor, preprocessing: Preprocessing) -> tf.Tensor:
    """Return lines without what bicubic interpolation adds at edges, beyond what pixels can be."""
    if preprocessing.interpolation != "bicubic":
        return lines
    return tf.minimum(tf.maximum(lines, 0.0), BRIGHTEST)


def _finished(lines: tf.Tensor, preprocessing: Preprocessing) -> tf.Tensor:
    """Return the network's input from lines of the pixels of all channels."""
    rows, cols, channels = preprocessing.rows, preprocessing.cols, preprocessing.channels
    # No division: TensorFlow multiplies by an approximated 1 / x, which is not even 1 for 1.
    std = np.array(preprocessing.std * cols)
    factor = (1 / (preprocessing.scale * std)).astype(np.float32)
    shift = (np.array(preprocessing.mean * cols) / std).astype(np.float32)
    return tf.reshape(lines * factor - shift, (-1, rows, cols, channels))
