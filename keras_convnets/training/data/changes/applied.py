"""The changes to a batch of training images, in their order."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.augmentation import Augmentation
from keras_convnets.training.data.changes import colours, geometry
from keras_convnets.training.data.changes.boxes import by_rows, inside
from keras_convnets.training.data.changes.pixels import Pixels, pixels_of
from keras_convnets.training.data.changes.randaugment import randaugmented


class Changes:
    """The changes to batches of preprocessed images that have been cropped and flipped.

    Rotation comes first, then color jitter and RandAugment, on pixels from 0 to 1, then random
    erasing. What is outside an image or erased becomes 0, the mean colour.

    Args:
        augmentation: the changes.
        images: the training images.
        preprocessing: their preprocessing.
    """

    def __init__(
        self, augmentation: Augmentation, images: Images, preprocessing: Preprocessing
    ) -> None:
        self._augmentation = augmentation
        self._pixels: Pixels | None = None
        if augmentation.color_jitter or augmentation.randaugment:
            self._pixels = pixels_of(images, preprocessing)

    def __call__(self, images: tf.Tensor, found: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Return a batch of images after the changes.

        Args:
            images: (batch, rows, cols, channels), preprocessed.
            found: what was drawn for each image.
        """
        if "rotation" in found:
            images = geometry.moved(images, found["rotation"])
        if self._pixels is not None:
            pixels = self._recoloured(self._pixels.of_input(images), found, self._pixels)
            images = self._pixels.to_input(pixels)
        if "erased" in found:
            erased = tf.where(inside(found["erased"], images), 0.0, by_rows(images))
            images = tf.ensure_shape(tf.reshape(erased, tf.shape(images)), images.shape)
        return images

    def _recoloured(
        self, pixels: tf.Tensor, found: Mapping[str, tf.Tensor], of: Pixels
    ) -> tf.Tensor:
        if "jitter" in found:
            pixels = _jittered(pixels, found["jitter"])
        if "operations" in found:
            pixels = randaugmented(pixels, found, self._augmentation.randaugment, of.mean)
        return pixels


def _jittered(pixels: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Change brightness, contrast, saturation and hue, in this order as Keras does.

    Images that are not of three colours keep the last two.
    """
    changes = (colours.brightness, colours.contrast, colours.saturation, colours.hue)
    for number, change in enumerate(changes[: 4 if pixels.shape[-1] == 3 else 2]):
        pixels = change(pixels, factors[:, number])
    return pixels
