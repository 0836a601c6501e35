"""What an evaluation may be made of: checks of labels and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_REMEDY = "Pass what evaluate(model, images, preprocessing) returns, or mend the arrays."


def check_evaluable(labels: Any, probabilities: Any) -> None:
    """Refuse labels and probabilities that no metric can be computed from.

    Args:
        labels: a label for each image, or 0 or 1 for each image and class.
        probabilities: a probability for each image and class.
    """
    for name, values, kinds, of in (
        ("labels", labels, "iu", "integers"),
        ("probabilities", probabilities, "f", "floating-point numbers"),
    ):
        if not isinstance(values, np.ndarray) or values.dtype.kind not in kinds:
            what = f"an array of {values.dtype}" if hasattr(values, "dtype") else type(values)
            raise ValueError(f"{name}: received {what}; expected an array of {of}. {_REMEDY}")
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(
            f"probabilities: received shape {probabilities.shape}; expected (images, classes), at "
            f"least one of each. {_REMEDY}"
        )
    if labels.shape not in (probabilities.shape[:1], probabilities.shape):
        raise ValueError(
            f"labels: received shape {labels.shape} for probabilities of shape "
            f"{probabilities.shape}; expected {probabilities.shape[:1]}, or 0 and 1 for each "
            f"class. {_REMEDY}"
        )
    broken = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(broken):
        raise ValueError(
            f"probabilities: received NaN or infinity for {len(broken):,} of "
            f"{len(probabilities):,} images, image {broken[0]:,} the first; expected numbers from "
            f"0 to 1. {_REMEDY}"
        )
    _check_range(labels, probabilities.shape[1])


def check_one_class(labels: np.ndarray) -> None:
    """Refuse multi-label images, of which none has a class that is taken for another."""
    if labels.ndim == 2:
        raise ValueError(
            "evaluation: received labels of several classes an image; expected one class an "
            "image for what is taken for what. Ask for accuracy, exact_match, precision, recall, "
            "f1, roc_auc."
        )


def check_class_names(class_names: Sequence[str], classes: int) -> None:
    """Refuse class names of which there is not one for each class."""
    if len(class_names) != classes:
        raise ValueError(
            f"class_names: received {len(class_names)} for an evaluation of {classes} classes; "
            "expected one for each, by label."
        )


def _check_range(labels: np.ndarray, classes: int) -> None:
    most = 1 if labels.ndim == 2 else classes - 1
    for label in (labels.min(), labels.max()):
        if not 0 <= label <= most:
            raise ValueError(
                f"labels: received {label}; expected integers from 0 to {most}, as there are "
                f"{classes} classes. {_REMEDY}"
            )
