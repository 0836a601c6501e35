"""The model of the best epoch of a run."""

from __future__ import annotations

from typing import Any

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.known import Known, remember
from keras_convnets.saved_models import without_optimizer
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.settings import Settings


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
