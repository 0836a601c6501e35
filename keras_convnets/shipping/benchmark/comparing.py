"""Whether engines say the same of the same images."""

from __future__ import annotations

import numpy as np


def difference(found: np.ndarray, first: np.ndarray) -> float:
    """Return the largest difference of an output, relative to the largest output.

    It is infinite for outputs of another shape, and for those that are no numbers.
    """
    if found.shape != first.shape or not np.isfinite(found).all():
        return float("inf")
    largest = float(np.abs(first).max())
    return float(np.abs(found.astype(np.float64) - first).max()) / (largest or 1.0)


def agreement(found: np.ndarray, first: np.ndarray) -> float | None:
    """Return the share of images with the same first class; ``None`` of a single output.

    Whether that is a probability or a logit, which decides where the border is, no file says.
    """
    if first.shape[-1] == 1:
        return None
    if found.shape != first.shape:
        return 0.0
    return float(np.mean(found.argmax(-1) == first.argmax(-1)))
