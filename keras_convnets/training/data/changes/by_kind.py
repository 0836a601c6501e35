"""A batch of images of which each is changed by one of several functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf


def by_kind(
    images: tf.Tensor,
    kinds: tf.Tensor,
    functions: Sequence[Callable[..., tf.Tensor]],
    numbers: Sequence[tf.Tensor],
) -> tf.Tensor:
    """Return a batch of images, each after its function.

    Args:
        images: (batch, rows, cols, channels).
        kinds: the index of each image's function, int32.
        functions: functions of some of the images and their numbers.
        numbers: numbers of each image; the functions get each of them.
    """

    def parts(values: tf.Tensor) -> list[tf.Tensor]:
        return tf.dynamic_partition(values, kinds, len(functions))

    of_images = parts(images)
    of_numbers = zip(*map(parts, numbers), strict=True)
    done = [
        function(part, *rest)
        for function, part, rest in zip(functions, of_images, of_numbers, strict=True)
    ]
    stitched = tf.dynamic_stitch(parts(tf.range(tf.shape(images)[0])), done)
    return tf.ensure_shape(stitched, images.shape)
