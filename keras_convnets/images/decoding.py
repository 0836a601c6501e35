"""Decoding of image files, the same for training, evaluation and prediction.

TensorFlow decodes JPEG, PNG and GIF. Pillow decodes BMP, because TensorFlow reads a palette as
shades of grey and cannot read 32-bit BMP files as colour. What is too large is refused beforehand.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_convnets.images import contents as image_contents
from keras_convnets.images import headers
from keras_convnets.images.contents import NOT_WHOLE, RefusedImageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")


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


def _decoded(get: Callable[[bytes], bytes], given: Any, channels: int) -> tf.Tensor:
    """Return the pixels of what a function of Python returns, within ``tf.data`` too."""

    def contents(text: bytes) -> bytes:
        found = get(text)
        return _bmp_as_png(found, channels) if found.startswith(headers.BMP) else found

    if tf.executing_eagerly():
        encoded = contents(tf.convert_to_tensor(given).numpy())
    else:
        # Without state: TensorFlow then calls it in parallel even if all is to be deterministic.
        encoded = tf.numpy_function(
            lambda text: np.array(contents(text), object), [given], tf.string, stateful=False
        )
        encoded.set_shape(())
    image = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
    return tf.ensure_shape(image, (None, None, channels))


def read_image(path: Path | str) -> np.ndarray:
    """Return the pixels of a file: uint8, (rows, cols, 3).

    Raises:
        ValueError: the file cannot be read or is not an image.
    """
    try:
        return read(os.fsencode(path)).numpy()
    except tf.errors.OpError as error:
        raise ValueError(f"{path}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return a short reason why a file could not be read as an image."""
    return error.reason if isinstance(error, RefusedImageError) else NOT_WHOLE


def _bmp_as_png(contents: bytes, channels: int) -> bytes:
    encoded = io.BytesIO()
    try:
        with Image.open(io.BytesIO(contents), formats=("BMP",)) as image:
            image.convert("L" if channels == 1 else "RGB").save(encoded, "PNG", compress_level=0)
    except Exception as error:  # Pillow does not document its exceptions
        raise RefusedImageError(NOT_WHOLE) from error
    return encoded.getvalue()
