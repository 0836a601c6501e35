"""The evaluation of a classifier on a data set of the user's own, as ``model.fit`` takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import memory
from keras_convnets.images.batches import untuned
from keras_convnets.inference.answers import Answers, answers_of
from keras_convnets.inference.compiled import kept
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.every_output import every_output
from keras_convnets.inference.fits import check_labels
from keras_convnets.inference.outputs import Outputs

_LARGEST = 2**31 - 1  # a label
_PAIRS = "expected batches of (images, labels), as model.fit takes them"


def evaluate_batches(model: Any, batches: tf.data.Dataset) -> Evaluation:
    """Evaluate a classifier on batches that are ready for it.

    Args:
        model: a classifier, as `evaluate` takes it.
        batches: batches of (images, labels), read once; the labels are integers, or 0 and 1 for
            each class.

    Raises:
        ValueError: the batches are no such pairs, never end or are none, or do not suit the model.
    """
    of_model = kept(model)
    outputs = of_model.get("every_output", every_output)
    _check_pairs(model, batches)
    collected: list[np.ndarray] = []
    with memory.explained("the evaluation of your batches", "Make the data set's batches smaller"):
        found = answers_of([*outputs.values()], of_model, _images(model, batches, collected))
    given = np.concatenate(collected)
    for one in outputs.values():
        _check_width(model, one, given)
    labels = _labels(given)
    for one in outputs.values():
        check_labels(model, one, labels)
    return evaluation_of(labels, outputs, found)


def evaluation_of(
    labels: np.ndarray, outputs: Mapping[str, Outputs], found: Sequence[Answers]
) -> Evaluation:
    """Return the evaluation of a model's first output, with those of its other outputs.

    Args:
        labels: the labels of the images.
        outputs: the outputs of the model by their names.
        found: the predictions of each output.
    """
    read = dict(zip(outputs, found, strict=True))
    main, *names = outputs

    def of(name: str, **others: Any) -> Evaluation:
        one = read[name]
        is_independent = outputs[name].are_independent
        return Evaluation(labels, one.probabilities, one.logits, is_independent, **others)

    return of(main, others={name: of(name) for name in names})


def _check_pairs(model: Any, batches: tf.data.Dataset) -> None:
    spec = batches.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2 or not _are_tensors(spec):
        raise ValueError(
            f"images: received a data set of {spec}; {_PAIRS}. Map it to such pairs, by "
            "dataset.map(lambda images, labels, weights: (images, labels)) for instance."
        )
    rank = spec[0].shape.rank
    if rank is not None and rank != len(model.input_shape):
        _refuse_shape(model, spec[0].shape)
    if batches.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"images: received a data set that never ends; {_PAIRS}. Leave out its repeat()."
        )


def _are_tensors(spec: tuple[Any, ...]) -> bool:
    return all(isinstance(one, tf.TensorSpec) for one in spec)


def _refuse_shape(model: Any, shape: Any) -> None:
    raise ValueError(
        f"images: received {tuple(shape)}; expected batches of {model.input_shape}, as "
        f"{model.name} takes them. Map the data set to that size, and batch it: dataset.batch(256)."
    )


def _images(model: Any, batches: tf.data.Dataset, labels: list[np.ndarray]) -> Iterator[tf.Tensor]:
    """Yield the images of each batch, and collect its labels.

    A data set may be shuffled anew whenever it is read, so both are from one reading. The next
    batch is read while the network computes.
    """
    for images, given in untuned(batches).prefetch(1):
        sizes = zip(model.input_shape, images.shape, strict=True)
        if any(size not in (None, has) for size, has in sizes):
            _refuse_shape(model, images.shape)
        _check_one_each(images, given, labels)
        if len(images):
            labels.append(given.numpy())
            yield tf.cast(images, tf.float32)
    if not labels:
        raise ValueError(f"images: received a data set without batches; {_PAIRS}, at least one.")


def _check_one_each(images: tf.Tensor, given: tf.Tensor, before: list[np.ndarray]) -> None:
    """Refuse labels of a batch that are not one for each image, or unlike those before."""
    shape = tuple(given.shape)
    if shape[:1] == (len(images),) and (not before or shape[1:] == before[0].shape[1:]):
        return
    like = "" if not before else f" like those before, of shape {(None, *before[0].shape[1:])}"
    raise ValueError(
        f"images: received labels of shape {shape} for {len(images)} images; expected a label for "
        f"each image{like}. Mend the data set."
    )


def _check_width(model: Any, outputs: Outputs, given: np.ndarray) -> None:
    """Refuse labels of 0 and 1 for each class that are for another number of classes."""
    if given.ndim == 2 and given.shape[1] not in (1, outputs.classes):
        raise ValueError(
            f"images: received labels of {given.shape[1]} classes, but {model.name} is for "
            f"{outputs.classes}; expected one column for each class. Evaluate it on data of the "
            "classes that it was trained on."
        )


def _labels(given: np.ndarray) -> np.ndarray:
    """Return integer labels; one-hot labels become one integer per image."""
    is_one = given.ndim == 1 or given.shape[1:] == (1,)
    if given.ndim > 2 or not _are_integers(given, _LARGEST if is_one else 1):
        raise ValueError(
            f"images: received labels of type {given.dtype} and shape {given.shape}; expected "
            "integers from 0, one per image, or 0 and 1 for each class. Evaluate without label "
            "smoothing or mixing."
        )
    labels = given.astype(np.int32)
    if is_one:
        return labels.reshape(-1)
    return labels.argmax(axis=1) if (labels.sum(axis=1) == 1).all() else labels


def _are_integers(given: np.ndarray, largest: int) -> bool:
    if given.dtype.kind not in "uifb" or not (given == np.floor(given)).all():
        return False
    return bool(given.min() >= 0 and given.max() <= largest)
