"""Calibration: whether a classifier is right as often as it says."""

from __future__ import annotations

import dataclasses

import numpy as np

BINS = 15  # as in Guo et al. 2017, "On Calibration of Modern Neural Networks"
_ROUNDING = 0.01  # of a softmax in half precision
_AT_ONCE = 1 << 20  # rows of an array are binned in parts of about as many values


@dataclasses.dataclass(frozen=True, eq=False)
class Calibration:
    """Predictions in bins of equal width, by confidence: a reliability diagram.

    Attributes:
        images: the number of predictions in each bin. A bin includes its upper end.
        confidence: their mean confidence; NaN in an empty bin.
        accuracy: the share of them that are right; NaN in an empty bin.
    """

    images: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """The ends of the bins, from 0 to 1."""
        return np.linspace(0, 1, len(self.images) + 1)

    @property
    def ece(self) -> float:
        """The expected calibration error: the mean gap of the bins, weighted by predictions."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(gaps * self.images) / self.images.sum())


def calibration(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Calibration:
    """Sort predictions into bins.

    Args:
        confidence: the confidence of each prediction, 0 to 1, of any shape.
        right: whether each is right, of the same shape.
        bins: the number of bins.

    Raises:
        ValueError: a confidence is not from 0 to 1.
    """
    for value in (confidence.min(), confidence.max()):
        if not -_ROUNDING <= value <= 1 + _ROUNDING:
            raise ValueError(
                f"probabilities: received {value:g}; expected numbers from 0 to 1. Pass the "
                "softmax or the sigmoid of logits."
            )
    inner = np.linspace(0, 1, bins + 1).astype(confidence.dtype)[1:-1]
    images, sums, rights = (np.zeros(bins) for _ in range(3))
    rows = max(1, _AT_ONCE // max(1, confidence[:1].size))
    for first in range(0, len(confidence), rows):
        part = confidence[first : first + rows].ravel()
        hits = np.asarray(right[first : first + rows]).ravel()
        of = np.searchsorted(inner, part, side="left")
        images += np.bincount(of, minlength=bins)
        sums += np.bincount(of, weights=part, minlength=bins)
        rights += np.bincount(of, weights=hits, minlength=bins)
    some = np.where(images > 0, images, np.nan)
    return Calibration(images.astype(np.int64), sums / some, rights / some)
