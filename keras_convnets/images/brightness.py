"""A check for images that are brighter than a preprocessing expects."""

from __future__ import annotations

import tensorflow as tf

from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing

_LARGEST_BYTE = 255.0


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
        >>> from_minus_1_to_1 = Preprocessing(1, 8, 8, scale=127.5, mean=[1], std=[1])
        >>> print(too_bright("cat.png", 240, from_minus_1_to_1))
        None
    """
    largest = largest_pixel(preprocessing)
    if brightest <= largest:
        return None
    return (
        f"{name}: its pixels go up to {brightest:g}, those of the run's images to "
        f"{largest:g}; scale them alike"
    )


def largest_pixel(preprocessing: Preprocessing) -> float:
    """Return the largest pixel of the images that a preprocessing is for.

    That is what scaling makes 1. Where the mean of the scaled images is 1 or more, it is not: then
    they are from -1 to 1, or not scaled at all, as in Caffe, and the pixels are bytes.
    """
    scale = float(preprocessing.scale)
    return max(scale, _LARGEST_BYTE) if max(preprocessing.mean) >= 1 else scale


def first_too_bright(images: Images, preprocessing: Preprocessing) -> str | None:
    """Return the warning for the first image; all images of a data set have the same range."""
    brightest = float(tf.reduce_max(images.read(tf.constant(0, tf.int64))))
    return too_bright(images.describe(0), brightest, preprocessing)
