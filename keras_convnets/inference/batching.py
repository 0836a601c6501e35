"""Images of any sizes, one after another, as batches that are ready for a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.images.preprocessing import Preprocessing


def prepared_batches(
    images: Iterable[np.ndarray], preprocessing: Preprocessing, is_first: bool, size: int
) -> Iterator[tf.Tensor]:
    """Yield batches of prepared images.

    Args:
        images: the pixels of each image, (rows, cols, channels); read as far as they are needed.
        preprocessing: their preprocessing.
        is_first: whether the network takes channels first.
        size: the images of a batch; the last one may have fewer.
    """
    room = math.prod(preprocessing.image_shape)
    batch: list[Any] = []
    for pixels in images:
        if len(batch) == size:
            yield _together(batch, preprocessing, is_first)
            batch = []
        # A photograph may take much more memory than the network's input.
        batch.append(pixels if pixels.size <= room else preprocessing(pixels))
    if batch:
        yield _together(batch, preprocessing, is_first)


def _together(images: list[Any], preprocessing: Preprocessing, is_first: bool) -> tf.Tensor:
    """Return images, some of which may be pixels yet, as one prepared batch."""
    kinds = {(type(image), tuple(image.shape), image.dtype) for image in images}
    if isinstance(images[0], np.ndarray) and len(kinds) == 1:
        batch = preprocessing(np.stack(images))
    else:
        batch = tf.stack(
            [preprocessing(one) if isinstance(one, np.ndarray) else one for one in images]
        )
    return tf.transpose(batch, (0, 3, 1, 2)) if is_first else batch
