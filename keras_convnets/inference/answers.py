"""The predictions of a classifier: class probabilities of images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets.inference.compiled import Forward, Kept, to_numpy
from keras_convnets.inference.outputs import Outputs, outputs_of
from keras_convnets.inference.soundness import check_sound


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """The predictions of a classifier, with one column per class.

    A single output becomes the second of two columns.

    Attributes:
        probabilities: class probabilities, float32, shape `(images, classes)`.
        logits: the logits of these probabilities if the model outputs logits; otherwise ``None``.
    """

    probabilities: np.ndarray
    logits: np.ndarray | None = None


def answers(
    of_model: Kept,
    batches: Iterable[Any],
    describe: Callable[[int], str] = "image {}".format,
    check: Callable[[Kept], None] = check_sound,
) -> Answers:
    """Run a classifier on batches of images.

    Args:
        of_model: what is kept with the model, a classifier with one output.
        batches: arrays of preprocessed images, in the data format of the model.
        describe: a function from an image's index to its name in errors.
        check: a function that refuses a model of broken weights, which outputs may hide.

    Raises:
        ValueError: the kind of the outputs cannot be determined, or they or the weights are NaN or
            infinite.
    """
    outputs = of_model.get("outputs", outputs_of)
    [found] = answers_of([outputs], of_model, batches, describe, check)
    return found


def answers_of(
    outputs: Sequence[Outputs],
    of_model: Kept,
    batches: Iterable[Any],
    describe: Callable[[int], str] = "image {}".format,
    check: Callable[[Kept], None] = check_sound,
) -> list[Answers]:
    """Run a classifier on batches of images, and return the predictions of each of its outputs.

    Args:
        outputs: the kind of each output of the model.
        of_model: as in `answers`.
        batches: as in `answers`.
        describe: as in `answers`.
        check: as in `answers`.

    Raises:
        ValueError: as in `answers`.
    """
    values = _values(of_model, batches, describe)
    check(of_model)
    ends = np.cumsum([one.count for one in outputs])
    parts = np.split(values, ends[:-1], axis=1)
    return [read_outputs(one, part) for one, part in zip(outputs, parts, strict=True)]


def read_outputs(outputs: Outputs, values: np.ndarray) -> Answers:
    """Return the predictions that the outputs of a classifier are.

    Args:
        outputs: their kind.
        values: the outputs, float32, shape `(images, outputs)`.
    """
    if not outputs.is_logits:
        return Answers(np.hstack([1 - values, values]) if outputs.is_binary else values)
    # The softmax of (0, logit) is (1 - sigmoid(logit), sigmoid(logit)).
    logits = np.hstack([np.zeros_like(values), values]) if outputs.is_binary else values
    return Answers(keras.ops.convert_to_numpy(keras.ops.softmax(logits)), logits)


def _values(of: Kept, batches: Iterable[Any], describe: Callable[[int], str]) -> np.ndarray:
    """Return the outputs of a model in float32, side by side if there are several."""
    values = np.concatenate(list(_outputs(of.forward(), batches)))
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(broken):
        raise ValueError(
            f"model: {of.model.name} outputs NaN or infinity for {len(broken)} of {len(values)} "
            f"images, {describe(int(broken[0]))} the first; expected numbers. Its weights are "
            "broken, or the images are: take those of an earlier checkpoint, train with a lower "
            "learning rate, or look for NaN in the images."
        )
    return values


def _outputs(of: Forward, batches: Iterable[Any]) -> Iterator[np.ndarray]:
    """Yield the outputs of each batch; the next one is read and begun before they are awaited."""
    begun = None
    for batch in batches:
        before, begun = begun, of(batch)
        if before is not None:
            yield to_numpy(before)
    if begun is not None:
        yield to_numpy(begun)
