"""A check for images that are brighter than a preprocessing expects."""

from __future__ import annotations

import tensorflow as tf

from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing


def too_bright(name: str, brightest: float, preprocessing: Preprocessing) -> str | None:
    """Return a warning if an image is brighter than the training images, otherwise ``None``.

    Args:
        name: the name of the image.
        brightest: its largest pixel value.
        preprocessing: the preprocessing of the images.

    Examples:
        >>> from keras_convnets.images.preprocessing import Preprocessing
        >>> too_bright("cat.png", 240, Preprocessing(1, 8, 8, scale=16))
        "cat.png: its pixels go up to 240, those of the run's images to 16; scale them alike"
    """
    if brightest <= preprocessing.scale:
        return None
    return (
        f"{name}: its pixels go up to {brightest:g}, those of the run's images to "
        f"{preprocessing.scale:g}; scale them alike"
    )


def first_too_bright(images: Images, preprocessing: Preprocessing) -> str | None:
    """Return the warning for the first image; all images of a data set have the same range."""
    brightest = float(tf.reduce_max(images.read(tf.constant(0, tf.int64))))
    return too_bright(images.describe(0), brightest, preprocessing)
