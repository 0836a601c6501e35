"""The best epoch of a run, by its history alone: no Keras, for tables of many runs."""

from __future__ import annotations

import math

from keras_convnets.training.run_folder import History


def best_epoch(history: History) -> int:
    """Return the number, from 1, of the epoch with the best validation accuracy; 0 before any.

    Of several that are equally accurate, it is the one with the lowest validation loss, and then
    the first. What is not finite is worse than anything else.

    Examples:
        >>> best_epoch({"val_accuracy": [0.5, 0.7, 0.7, 0.6], "val_loss": [2.0, 0.9, 0.8, 0.7]})
        3
    """
    pairs = zip(history["val_accuracy"], history["val_loss"], strict=True)
    ranked = [
        (_least(-accuracy), _least(loss), epoch)
        for epoch, (accuracy, loss) in enumerate(pairs, start=1)
    ]
    return min(ranked)[-1] if ranked else 0


def _least(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def out_of_patience(history: History, patience: int | None) -> str | None:
    """Return that no epoch was better than the best one for so many; ``None`` if it is not so.

    Only the history tells, so that a run that was killed ends after the same epoch.

    Examples:
        >>> history = {"val_accuracy": [0.5, 0.7, 0.6], "val_loss": [2.0, 0.9, 0.7]}
        >>> out_of_patience(history, 1), out_of_patience(history, 2)
        ('no epoch was better than epoch 2', None)
    """
    best = best_epoch(history)
    if patience is None or not best or len(history["val_accuracy"]) - best < patience:
        return None
    return f"no epoch was better than epoch {best}"
