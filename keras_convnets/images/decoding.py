"""From the bytes of a file to pixels: by one way, whether to train, to evaluate or to predict.

TensorFlow decodes JPEG, PNG and GIF. It takes the palette of a BMP for shades of grey, and has no
32-bit BMP as colour, so Pillow decodes these.
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
    """Return the pixels of a file's contents; of an animation, those of its first frame.

    It works within ``tf.data`` too, and raises one of ``tf.errors`` where there is no whole image.

    Args:
        contents: the bytes, a scalar string tensor.
        channels: 1 (grey) or 3 (colour), to which any other kind is converted.

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
    """Return the pixels of a file, (rows, cols, 3), of which the path is a string tensor."""
    return decode(tf.io.read_file(path))


def read_image(path: Path | str) -> np.ndarray:
    """Return the pixels of a file: uint8, (rows, cols, 3).

    Raises:
        ValueError: the file cannot be read, or holds no image.
    """
    try:
        return read(os.fsencode(path)).numpy()
    except tf.errors.OpError as error:
        raise ValueError(f"{path}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Say in a few words why a file gave no image."""
    if isinstance(error, tf.errors.NotFoundError):
        return "no such file"
    if isinstance(error, tf.errors.PermissionDeniedError):
        return "may not be read"
    return f"no whole {KINDS}"


def _bmp(contents: tf.Tensor, channels: tf.Tensor) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(contents.numpy()), formats=("BMP",)) as image:
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except Exception as error:  # Pillow lists no kinds
        raise tf.errors.InvalidArgumentError(None, None, "no whole BMP") from error
    return pixels.reshape(*pixels.shape[:2], -1)
