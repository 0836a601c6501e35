"""Decoding of image files, the same for training, evaluation and prediction.

TensorFlow decodes JPEG, PNG and GIF. Pillow decodes BMP, because TensorFlow reads a palette as
shades of grey and cannot read 32-bit BMP files as colour.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
KINDS = "JPEG, PNG, BMP or GIF"
_BMP = b"BM"


def decode(contents: Any, channels: int = 3) -> tf.Tensor:
    """Return the pixels of an encoded image; for an animation, of its first frame.

    It also works inside ``tf.data``. It raises one of ``tf.errors`` if the image is incomplete.

    Args:
        contents: the bytes of the file, a scalar string tensor.
        channels: 1 (grey) or 3 (colour); images are converted to this.

    Returns:
        uint8, (rows, cols, channels).
    """
    image = tf.cond(
        tf.strings.substr(contents, 0, len(_BMP)) == _BMP,
        lambda: tf.py_function(_bmp, [contents, channels], tf.uint8),
        lambda: tf.io.decode_image(contents, channels=channels, expand_animations=False),
    )
    return tf.ensure_shape(image, (None, None, channels))


def read(path: Any) -> tf.Tensor:
    """Return the pixels, (rows, cols, 3), of a file whose path is a string tensor."""
    return decode(tf.io.read_file(path))


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
    if isinstance(error, tf.errors.NotFoundError):
        return "no such file"
    if isinstance(error, tf.errors.PermissionDeniedError):
        return "may not be read"
    return f"no whole {KINDS}"


def _bmp(contents: tf.Tensor, channels: tf.Tensor) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(contents.numpy()), formats=("BMP",)) as image:
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except Exception as error:  # Pillow does not document its exceptions
        raise tf.errors.InvalidArgumentError(None, None, "no whole BMP") from error
    return pixels.reshape(*pixels.shape[:2], -1)
