"""Images of any sizes, one after another, as batches that are ready for a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_convnets.images.preprocessing import Preprocessing

Prepared = tuple[np.ndarray, Preprocessing]


def prepared_batches(images: Iterable[Prepared], is_first: bool, size: int) -> Iterator[tf.Tensor]:
    """Yield batches of prepared images.

    Args:
        images: the pixels of each image, (rows, cols, channels), and its preprocessing; read as far
            as they are needed. All become images of the same size.
        is_first: whether the network takes channels first.
        size: the images of a batch; the last one may have fewer.
    """
    batch: list[Prepared | tf.Tensor] = []
    for pixels, preprocessing in images:
        if len(batch) == size:
            yield _together(batch, is_first)
            batch = []
        # A photograph may take much more memory than the network's input.
        is_small = pixels.size <= math.prod(preprocessing.image_shape)
        batch.append((pixels, preprocessing) if is_small else preprocessing(pixels))
    if batch:
        yield _together(batch, is_first)


def _together(images: list[Prepared | tf.Tensor], is_first: bool) -> tf.Tensor:
    """Return images, some of which may be pixels yet, as one prepared batch."""
    pixels = [image for image in images if isinstance(image, tuple)]
    kinds = {(of.shape, of.dtype, preprocessing) for of, preprocessing in pixels}
    if len(pixels) == len(images) and len(kinds) == 1:
        [(*_, preprocessing)] = kinds
        batch = preprocessing(np.stack([of for of, _ in pixels]))
    else:
        batch = tf.stack([one[1](one[0]) if isinstance(one, tuple) else one for one in images])
    return tf.transpose(batch, (0, 3, 1, 2)) if is_first else batch
