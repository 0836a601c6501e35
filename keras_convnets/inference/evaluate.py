"""The evaluation of a classifier: one pass over labelled images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_convnets import axes, checks
from keras_convnets.errors import RunStopped
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.reading import unreadable
from keras_convnets.inference.answers import answers_of
from keras_convnets.inference.classifier import check_one_vector
from keras_convnets.inference.compiled import kept
from keras_convnets.inference.enough_memory import enough_memory
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.every_output import every_output, main_output
from keras_convnets.inference.fits import check_labels, check_takes
from keras_convnets.inference.own_batches import evaluate_batches, evaluation_of
from keras_convnets.inference.prepared import check_images, check_pixels, preprocessing_for
from keras_convnets.typed import explaining

_REMEDY = (
    "Pass the images of some data, such as data.test, or a tf.data.Dataset of (images, labels) "
    "batches, as model.fit takes it."
)
_SMALLER = "Pass a smaller --batch-size (batch_size)"


@explaining
def evaluate(
    model: Any,
    images: Images | tf.data.Dataset,
    preprocessing: Preprocessing | str | None = None,
    batch_size: int = 256,
) -> Evaluation:
    """Evaluate a classifier on labelled images.

    Every image has the same weight, regardless of the batches. There is no training, dropout or
    augmentation. The loss is the cross-entropy of the outputs, logits or a softmax; for sigmoids it
    is the binary cross-entropy. Unlike the loss that ``fit`` shows, it does not include L2
    penalties.

    Args:
        model: a classifier in either data format. Of one with several outputs, such as auxiliary
            classifiers, the first is the main one; the others are in ``Evaluation.others``.
        images: the images and their labels; or a data set of your own, with batches of
            (images, labels) as ``model.fit`` takes them. It is evaluated as it is, and may be
            shuffled.
        preprocessing: the preprocessing of the run that trained the model, or the name of a usual
            one: ``"none"``, ``"0-1"``, ``"-1-1"``, ``"imagenet"`` or ``"caffe"``; none for a data
            set of your own.
        batch_size: images per batch; limited by the memory. A data set of your own has its own.

    Raises:
        ValueError: there are no images, the model does not accept them, the kind of its outputs
            does not suit the labels or cannot be determined (see `outputs_of`), several outputs are
            not for the same classes, or the outputs are not finite.
        RunStopped: an image cannot be read.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import evaluate, load_data
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1,))
        >>> data = load_data("digits", image_size=16)
        >>> found = evaluate(model, data.test, data.preprocessing)
        >>> found.probabilities.shape
        (360, 10)

        A data set of your own:

        >>> import numpy as np
        >>> import tensorflow as tf
        >>> pairs = np.zeros((12, 16, 16, 1), "float32"), np.arange(12) % 10
        >>> own = tf.data.Dataset.from_tensor_slices(pairs).batch(4)
        >>> evaluate(model, own).probabilities.shape
        (12, 10)
    """
    checks.positive_integer("batch_size", batch_size, "images that fit into the memory")
    if isinstance(images, tf.data.Dataset):
        if preprocessing is not None:
            raise ValueError(
                "preprocessing: received one beside a tf.data.Dataset; expected None, for its "
                "batches are taken as they are. Leave it out, or pass the images of some data."
            )
        return evaluate_batches(model, images)
    checks.instance("images", images, Images, _REMEDY)
    remedy = "Pass data.preprocessing."
    if isinstance(preprocessing, str):
        check_one_vector(main_output(model))
        preprocessing = preprocessing_for(model, preprocessing)
    known = checks.instance("preprocessing", preprocessing, Preprocessing, remedy)
    _check_takes(model, images, known)
    check_images(model, known)
    check_pixels(images, known)
    return evaluate_prepared(model, images, known, batch_size)


def _check_takes(model: Any, images: Images, preprocessing: Preprocessing) -> None:
    if not len(images):
        raise ValueError("images: received none; expected at least one. Name data that have some.")
    check_takes(
        main_output(model),
        preprocessing.image_shape,
        "as the preprocessing makes them",
        "Take the preprocessing of the model's own run.",
    )


def evaluate_prepared(
    model: Any, images: Images, preprocessing: Preprocessing, batch_size: int
) -> Evaluation:
    """Evaluate a classifier as `evaluate` does, on images that are known to be prepared for it."""
    of_model = kept(model)
    outputs = of_model.get("every_output", every_output)
    for one in outputs.values():
        check_labels(model, one, images.labels)
    batches = evaluation_batches(images, preprocessing, batch_size, axes.format_of(model))
    together = min(batch_size, len(images))
    try:
        with enough_memory("the evaluation", of_model, preprocessing, together, _SMALLER):
            inputs = (batch[0] for batch in batches)
            found = answers_of([*outputs.values()], of_model, inputs, images.describe)
    except tf.errors.OpError as error:
        broken = unreadable(images)
        if broken is None:
            raise
        raise RunStopped(f"cannot read an image: {broken}. Mend it or take it away.") from error
    return evaluation_of(images.labels, outputs, found)
