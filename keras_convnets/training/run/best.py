"""The best epoch of a run, and the model that it had then."""

from __future__ import annotations

from typing import Any

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.known import Known, remember
from keras_convnets.saved_models import without_optimizer
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run_folder import History


def best_epoch(history: History) -> int:
    """Return the number, from 1, of the epoch with the best validation accuracy; 0 before any.

    Of several that are equally accurate, it is the one with the lowest validation loss, and then
    the first.

    Examples:
        >>> best_epoch({"val_accuracy": [0.5, 0.7, 0.7, 0.6], "val_loss": [2.0, 0.9, 0.8, 0.7]})
        3
    """
    pairs = zip(history["val_accuracy"], history["val_loss"], strict=True)
    ranked = [(-accuracy, loss, epoch) for epoch, (accuracy, loss) in enumerate(pairs, start=1)]
    return min(ranked)[-1] if ranked else 0


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


def is_kept(settings: Settings, data: Data) -> bool:
    """Return whether a run keeps its best model: by default, if it does not choose it by the test.

    Args:
        settings: the settings of the run.
        data: its data.
    """
    if settings.keep_best is not None:
        return settings.keep_best
    return data.validation is not data.test


def digest_of(folder: Any) -> str | None:
    """Return the SHA-256 of the best model of a run; ``None`` if it is gone."""
    file = folder / run_folder.BEST
    return run_folder.digest(file) if file.is_file() else None


def write_best(folder: Any, model: Any, preprocessing: Preprocessing, data: Data) -> None:
    """Write the model as that of the best epoch so far, without its optimizer."""
    kept = without_optimizer(model)
    remember(kept, Known(preprocessing=preprocessing.to_config(), class_names=data.class_names))
    run_folder.write_model(folder, kept, run_folder.BEST)
