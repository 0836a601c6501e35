"""What ``--preprocessing`` says: the name of a usual way, or a run with the same."""

from __future__ import annotations

from pathlib import Path

from keras_convnets import files
from keras_convnets.image_config import NAMES
from keras_convnets.images.model_preprocessing import preprocessing_of as known_preprocessing
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.saved_models import is_file, load_model
from keras_convnets.training import run_folder
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_data import preprocessing_of


def spoken(said: str | None) -> Preprocessing | str | None:
    """Return the preprocessing of a run or a saved model, or the name as it is.

    Args:
        said: a name, the folder of a run, or a ``.keras`` file that knows its preprocessing.

    Raises:
        ValueError: it is none of these.
    """
    if said is None or said in NAMES:
        return said
    found: Preprocessing | None = None
    if is_file(said) and Path(said).is_file():
        found = known_preprocessing(load_model(said))
    elif "\0" not in said and run_folder.is_run(Path(said)):
        found = preprocessing_of(Path(said), config_file.read(Path(said)))
    if found is None:
        raise ValueError(
            f"preprocessing: received {files.shown(said)}; expected {', '.join(NAMES)}, the folder "
            "of a run, or a .keras file that knows how its images are prepared. Name one of these."
        )
    return found
