"""How well scores rank the images of a class above the others: ROC-AUC and average precision.

Both equal scikit-learn's ``roc_auc_score`` and ``average_precision_score``. They are computed here
because one sort a class is enough for both: a thousand classes take a second, not half a minute.
"""

from __future__ import annotations

import numpy as np

_TOGETHER = 16  # classes whose scores are laid out in memory one class after the other


def rankings(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC-AUC and the average precision of each class against all others.

    Equal scores count half in the AUC, and share a threshold in the average precision.

    Args:
        scores: the score of each class, `(images, classes)`.
        labels: the class of each image, `(images,)`; or 0 or 1 for each class.

    Returns:
        The ROC-AUC, NaN for a class that no image or every image has; and the average precision,
        NaN for a class that no image has.
    """
    found = []
    for first in range(0, scores.shape[1], _TOGETHER):
        columns = np.ascontiguousarray(scores[:, first : first + _TOGETHER].T)
        for label, column in enumerate(columns, start=first):
            has = labels[:, label] == 1 if labels.ndim == 2 else labels == label
            found.append(_ranking(np.sort(column), np.sort(column[has])))
    auc, precision = np.array(found, np.float64).reshape(-1, 2).T
    return auc, precision


def _ranking(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return both for one class, from all scores and those of its images, in order."""
    images, others = len(right), len(scores) - len(right)
    if not images:
        return float("nan"), float("nan")
    below, up_to = (np.searchsorted(scores, right, side) for side in ("left", "right"))
    own_below, own_up_to = (np.searchsorted(right, right, side) for side in ("left", "right"))
    precision = ((images - own_below) / (len(scores) - below)).mean()
    if not others:
        return float("nan"), float(precision)
    # The others below each image of the class; those with the same score count half.
    won = (below - own_below) + (up_to - own_up_to)
    return float(won.sum() / 2 / images / others), float(precision)
