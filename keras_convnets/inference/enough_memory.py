"""Whether batches of images can fit into memory; and what to say if they do not."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import tensorflow as tf

from keras_convnets import memory
from keras_convnets.analysis.cost.cost import cost
from keras_convnets.analysis.cost.least_memory import of_answers
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.compiled import Kept

_VALUE = 4  # bytes of a pixel as the network takes it


@contextlib.contextmanager
def enough_memory(
    what: str, of_model: Kept, preprocessing: Preprocessing, batch_size: int, remedy: str
) -> Iterator[None]:
    """Refuse batches that cannot fit into memory, and explain if it is exhausted in the context.

    Args:
        what: what is done with the batches, for the error: "the evaluation".
        of_model: what is kept with the model.
        preprocessing: the preprocessing, which determines the shape of the images.
        batch_size: the images that the model takes at once.
        remedy: what to do about it, for the error.

    Raises:
        OutOfMemoryError: the memory does not suffice.
    """
    image_shape = preprocessing.image_shape
    asked = f"{what} of batches of {batch_size:,} images of {' x '.join(map(str, image_shape))}"
    needed = _VALUE * batch_size * math.prod(image_shape)
    if not tf.config.list_logical_devices("GPU"):
        with contextlib.suppress(ValueError):  # the cost of this model is not known
            found = of_model.get("cost", lambda model: cost(model, image_shape), of=image_shape)
            needed += of_answers(found, batch_size)
    memory.check(needed, asked, remedy)
    with memory.explained(asked, remedy):
        yield
