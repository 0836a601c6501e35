"""Images rotated, sheared and shifted: where in an image each pixel of the new one comes from."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

IDENTITY = (1, 0, 0, 0, 1, 0, 0, 0)


def rotations(degrees: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Return the transforms that rotate images anticlockwise around their centre."""
    angles = np.radians(degrees)
    cos, sin = np.cos(angles), np.sin(angles)
    x, y = (cols - 1) / 2, (rows - 1) / 2
    return _of(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)


def shears(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the transforms that shear images, along x by a share of y and along y by one of x."""
    return _of(1, x, 0, y, 1, 0)


def shifts(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the transforms that shift images left and up, by whole pixels."""
    return _of(1, 0, x, 0, 1, y)


def _of(*coefficients: np.ndarray | float) -> np.ndarray:
    """Return (images, 8), as ``ImageProjectiveTransformV3`` takes them."""
    columns = np.broadcast_arrays(*coefficients, 0, 0)
    return np.stack(columns, axis=-1).astype(np.float32)


def moved(images: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """Return images after their transforms, interpolated, with zeros where there was nothing.

    `keras.ops.image.affine_transform` does the same with TensorFlow's backend alone, and batches
    are made with any.

    Args:
        images: (batch, rows, cols, channels).
        transforms: (batch, 8).
    """
    found = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(found, images.shape)
