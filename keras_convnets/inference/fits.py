"""Checks that a classifier, images and their labels fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets import axes
from keras_convnets.inference.classifier import check_one_vector, check_takes_floats
from keras_convnets.inference.outputs import Outputs


def check_takes(model: Any, image_shape: Sequence[int], whose: str, remedy: str) -> None:
    """Refuse a model that is not a classifier of images of ``(channels, rows, cols)``.

    Args:
        model: the model.
        image_shape: the shape of the images.
        whose: the origin of the images, for the error: "as the images of digits are".
        remedy: what to do, for the error.
    """
    check_one_vector(model)
    check_takes_floats(model)
    takes = axes.in_papers_order(model.inputs[0].shape, axes.format_of(model))
    fits = (size in (None, given) for size, given in zip(takes, image_shape, strict=True))
    if not all(fits):
        raise ValueError(
            f"model: {model.name} takes images of {takes}; expected {tuple(image_shape)}, {whose}. "
            f"{remedy}"
        )


def check_labels(model: Any, outputs: Outputs, labels: np.ndarray) -> None:
    """Refuse labels that do not suit the outputs of a model.

    Args:
        model: the model.
        outputs: the kind of its outputs.
        labels: the class of each image, `(images,)`; for multi-label images, 0 or 1 for each
            class, `(images, classes)`.
    """
    if labels.size and labels.min() < 0:
        raise ValueError(
            f"images: received the label {labels.min()}; expected labels of 0 and up. Number the "
            "classes from 0."
        )
    if labels.ndim == 2:
        _check_several(model, outputs, labels)
    elif labels.max(initial=0) >= outputs.classes:
        raise ValueError(
            f"images: received {labels.max() + 1} classes, but {model.name} has {outputs.count} "
            f"outputs; expected at least one for each class. Evaluate it on data of the classes "
            "that it was trained on."
        )


def _check_several(model: Any, outputs: Outputs, labels: np.ndarray) -> None:
    if not outputs.are_independent:
        kind = "logits" if outputs.is_logits else outputs.kind
        raise ValueError(
            f"images: received several labels an image, but the outputs of {model.name} are for "
            f"one ({outputs.count} of kind {kind}); expected a sigmoid for each class. Build it "
            "with classifier_activation='sigmoid'."
        )
    if labels.shape[1] != outputs.count:
        raise ValueError(
            f"images: received labels of {labels.shape[1]} classes, but {model.name} has "
            f"{outputs.count} outputs; expected one for each class. Build it with "
            f"num_outputs={labels.shape[1]}."
        )
