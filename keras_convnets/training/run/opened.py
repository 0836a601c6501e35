"""The model that an unfinished run began with, opened again."""

from __future__ import annotations

from pathlib import Path

import keras

from keras_convnets.readers.damage import DamagedFile
from keras_convnets.saved_models import read_model
from keras_convnets.training import run_folder
from keras_convnets.training.run.run_config import RunConfig


def open_start(out: Path, config: RunConfig) -> keras.Model:
    """Return the model of an unfinished run as it was before its first step.

    Args:
        out: the folder of the run.
        config: its configuration, which knows the file.

    Raises:
        ValueError: the file does not exist, because the run is finished, or cannot be read.
    """
    file = out / run_folder.START
    try:
        model = read_model(file)
    except FileNotFoundError:
        raise ValueError(
            f"resume: there is no {str(file)!r}; expected the folder of an unfinished run. A run "
            "that is finished cannot go on: start a new one with --fine-tune and this folder."
        ) from None
    except DamagedFile as error:
        raise ValueError(
            f"resume: cannot read {str(file)!r} ({error}); expected the model that "
            "the run began with. Pass it to resume() in Python, or start a new run."
        ) from error
    if config.start not in (None, run_folder.digest(file)):
        raise ValueError(
            f"resume: {str(file)!r} is not the model that the run began with; expected the file "
            "that keras-convnets train wrote. Put back a copy of it, or start a new run."
        )
    return model
