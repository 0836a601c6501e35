"""Decoding of image files, the same for training, evaluation and prediction.

The header of a file says which decoder reads it right: TensorFlow's JPEG, PNG and WebP, or Pillow,
for all else. What is too large is refused beforehand. Of a JPEG, only the pixels that are needed
are decoded, and turned upright as EXIF says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.images import contents as image_contents
from keras_convnets.images import headers
from keras_convnets.images.contents import NOT_WHOLE, RefusedImageError
from keras_convnets.images.turning import MARK, Turn

_AROUND = 2  # pixels
_RATIOS = (1, 2, 4, 8)  # at which libjpeg decodes


def decode(contents: Any, channels: int = 3) -> tf.Tensor:
    """Return the pixels of an encoded image; for an animation, of its first frame.

    It also works inside ``tf.data``. It raises one of ``tf.errors`` if the image is incomplete or
    too large.

    Args:
        contents: the bytes of the file, a scalar string tensor.
        channels: 1 (grey) or 3 (colour); images are converted to this.

    Returns:
        uint8, (rows, cols, channels).
    """
    return _decoded(image_contents.checked, contents, channels)


def read(path: Any) -> tf.Tensor:
    """Return the pixels, (rows, cols, 3), of a file whose path is a string tensor."""
    return _decoded(image_contents.read, path, channels=3)


def read_encoded(paths: Any, turns: bool = True) -> tf.Tensor:
    """Return the bytes of files whose paths are a vector of strings, as `encoded` does."""
    return encoded(image_contents.read, paths, turns=turns)


def encoded(
    get: Callable[[bytes, int, bool], bytes], given: Any, channels: int = 3, turns: bool = True
) -> tf.Tensor:
    """Return what a function of Python returns for each of many, within ``tf.data`` too.

    Python runs in one thread at a time, and most of the time of a call of its is spent around it:
    so one call gets several images.

    Args:
        get: `contents.read` or `contents.checked`.
        given: the paths or the bytes of the files, a vector of strings.
        channels: those that will be decoded.
        turns: whether `part` will turn those that are to be turned.

    Returns:
        The bytes of files that TensorFlow can decode.
    """

    def each(texts: np.ndarray) -> np.ndarray:
        found = np.empty(texts.shape, object)
        for place, text in enumerate(texts):
            found[place] = get(text, channels, turns)
        return found

    if tf.executing_eagerly():
        return tf.constant(each(tf.convert_to_tensor(given).numpy()))
    # Without state: TensorFlow then calls it in parallel even if all is to be deterministic.
    many = tf.numpy_function(each, [given], tf.string, stateful=False)
    return tf.ensure_shape(many, given.shape)


def part(
    encoded: tf.Tensor,
    window: Callable[[tf.Tensor], tf.Tensor],
    channels: int = 3,
    least: tuple[int, int] | None = None,
    turns: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the pixels in a window of an encoded image, which are those of the whole image.

    A JPEG that does not end where it should is decoded whole: if it is incomplete, that raises one
    of ``tf.errors``, whatever the window.

    Args:
        encoded: the bytes of the file, one of those that `encoded` returns.
        window: a function from rows and columns of the image, int32, to the window: the first row
            and column, the rows and the columns.
        channels: 1 (grey) or 3 (colour).
        least: the fewest rows and columns that are enough: a JPEG is decoded at 1/2, 1/4 or 1/8 of
            its size if its window then still has them. Each pixel is about the mean of those it
            replaces. By default it is decoded at its own size.
        turns: whether a JPEG may be marked to be turned. To find out is a few operations in the
            graph, which take a tenth of the time of a small image.

    Returns:
        The pixels, uint8, and the rows and columns of the image.
    """

    def of_jpeg() -> tuple[tf.Tensor, tf.Tensor]:
        stored = tf.image.extract_jpeg_shape(encoded)[:2]
        if not turns:
            return _jpeg_scaled(encoded, stored, window(stored), channels, least), stored
        turn = Turn(encoded)
        given = turn.swapped(stored)
        place = turn.stored(window(given), given)
        sides = None if least is None else turn.swapped(tf.stack(least))
        pixels = _jpeg_scaled(encoded, stored, place, channels, sides)
        return tf.cond(turn.is_needed, lambda: turn.upright(pixels), lambda: pixels), given

    def of_others() -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
        image = tf.ensure_shape(image, (None, None, channels))
        given = tf.shape(image)[:2]
        return _cut(image, window(given)), given

    is_whole = tf.strings.substr(encoded, -2, 2) == headers.JPEG_END
    return tf.cond(tf.io.is_jpeg(encoded) & is_whole, of_jpeg, of_others)


def _jpeg_part(encoded: tf.Tensor, given: tf.Tensor, window: tf.Tensor, channels: int) -> tf.Tensor:
    """Return the pixels in a window of a JPEG; at its edges, colours come from around it too."""
    first = tf.maximum(window[:2] - _AROUND, 0)
    last = tf.minimum(window[:2] + window[2:] + _AROUND, given)
    around = tf.concat([first, last - first], axis=0)
    image = tf.image.decode_and_crop_jpeg(encoded, around, channels=channels)
    return _cut(image, tf.concat([window[:2] - first, window[2:]], axis=0))


def _jpeg_scaled(
    encoded: tf.Tensor,
    given: tf.Tensor,
    window: tf.Tensor,
    channels: int,
    least: Any,
) -> tf.Tensor:
    """Return the pixels in a window of a JPEG, scaled to no less than the rows and columns."""
    if least is None:
        return _jpeg_part(encoded, given, window, channels)

    def at(ratio: int) -> tf.Tensor:
        if ratio == 1:
            return _jpeg_part(encoded, given, window, channels)
        first, last = window[:2] // ratio, (window[:2] + window[2:]) // ratio
        part = tf.concat([first, last - first], axis=0)
        return tf.image.decode_and_crop_jpeg(encoded, part, channels=channels, ratio=ratio)

    enough = [tf.reduce_all(window[2:] >= tf.multiply(least, ratio)) for ratio in _RATIOS[1:]]
    which = tf.math.count_nonzero(enough, dtype=tf.int32)
    return tf.switch_case(which, [lambda ratio=ratio: at(ratio) for ratio in _RATIOS])


def _cut(image: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    top, left, rows, cols = tf.unstack(window)
    return image[top : top + rows, left : left + cols]


def _decoded(get: Callable[[bytes, int, bool], bytes], given: Any, channels: int) -> tf.Tensor:
    found = encoded(get, tf.reshape(given, [1]), channels)[0]
    image = tf.io.decode_image(found, channels=channels, expand_animations=False)
    image = tf.ensure_shape(image, (None, None, channels))
    is_needed = tf.strings.substr(found, 0, len(MARK)) == MARK
    return tf.cond(is_needed, lambda: Turn(found).upright(image), lambda: image)


def read_image(path: Path | str) -> np.ndarray:
    """Return the pixels of a file: uint8, (rows, cols, 3).

    Raises:
        ValueError: the file cannot be read or is not an image.
    """
    return _named(str(path), lambda: read(os.fsencode(path)))


def read_contents(name: str, contents: bytes) -> np.ndarray:
    """Return the pixels of an encoded image: uint8, (rows, cols, 3).

    Args:
        name: the name of the image, for the error.
        contents: the bytes of its file.

    Raises:
        ValueError: they are not those of an image.
    """
    return _named(name, lambda: decode(contents))


def _named(name: str, read: Callable[[], tf.Tensor]) -> np.ndarray:
    try:
        return read().numpy()
    except tf.errors.OpError as error:
        raise ValueError(f"{name}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return a short reason why a file could not be read as an image."""
    return error.reason if isinstance(error, RefusedImageError) else NOT_WHOLE
