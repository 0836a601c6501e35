"""A finished run, opened again: its model and its preprocessing."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.saved_models import UnknownLayersError, load_model
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.run.run_data import check_classes, load_run_data


@dataclasses.dataclass(frozen=True)
class SavedRun:
    """A finished run.

    Attributes:
        folder: the folder of the run.
        model: the trained model; not compiled.
        preprocessing: the preprocessing of the model's images.
        class_names: the class names, by label.
        config: the contents of ``config.json``.
    """

    folder: Path
    model: Any
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    config: Mapping[str, Any]

    def load_data(
        self, name: str | None = None, data_dir: str | os.PathLike[str] | None = None
    ) -> Data:
        """Return the data that the run was trained and tested on, with the same split.

        Args:
            name: the name of other data with the same classes, as in `load_data`; they are
                preprocessed like the run's.
            data_dir: the folder of the data files, if it is not that of the run.

        Raises:
            ValueError: the data of the run did not come from `load_data`, the other data have
                different classes, or `load_data` raises it.
        """
        data = load_run_data(self.folder, self.config, name, data_dir)
        check_classes(self.folder, self.model.name, self.class_names, data)
        return data


def open_run(folder: str | os.PathLike[str]) -> SavedRun:
    """Open the folder of a run to evaluate its model or to predict with it.

    Args:
        folder: the folder that ``train`` wrote.

    Raises:
        ValueError: the folder does not exist, or is not that of a finished run; the error says
            which file is missing, cannot be read, or does not match the others.

    Examples:
        >>> from pathlib import Path
        >>> from rich.console import Console
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import RECIPES, load_data, open_run, train
        >>> model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
        >>> data = load_data("digits", image_size=8)
        >>> quick = RECIPES["quick"].replace(epochs=1)
        >>> _ = train(model, data, Path("run"), quick, console=Console(quiet=True))
        >>> open_run("run").class_names[:3]
        ('0', '1', '2')
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "which is a file" if folder.exists() else "which does not exist"
        raise _no_run(folder, what)
    config = run_folder.read_config(folder)
    if not isinstance(config, dict):
        raise _no_run(folder, f"whose {run_folder.CONFIG} is not that of a run")
    preprocessing, class_names = _of_config(folder, config)
    model = _model(folder)
    outputs = model.output_shape[-1]
    if outputs != len(class_names) and (outputs, len(class_names)) != (1, 2):  # yes or no
        raise _no_run(
            folder,
            f"whose {run_folder.MODEL} has {outputs} outputs and whose {run_folder.CONFIG} has "
            f"{len(class_names)} classes",
        )
    return SavedRun(folder, model, preprocessing, class_names, config)


def _of_config(folder: Path, config: dict[str, Any]) -> tuple[Preprocessing, tuple[str, ...]]:
    """Return what a prediction needs from the configuration; refuse one that lacks it."""
    try:
        preprocessing = Preprocessing.from_config(config["preprocessing"])
        names = config["data"]["class_names"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"class_names: received {names!r}; expected a list of names.")
    except KeyError as error:
        what = f"whose {run_folder.CONFIG} does not say {error.args[0]!r}"
        raise _no_run(folder, what) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _no_run(folder, f"whose {run_folder.CONFIG} cannot be used ({error})") from error
    return preprocessing, tuple(names)


def _model(folder: Path) -> Any:
    path = folder / run_folder.MODEL
    if not path.is_file():
        raise ValueError(
            f"run: received {str(folder)!r}, which has no {run_folder.MODEL} yet; expected the "
            "folder of a finished run. Finish it with keras-convnets train --resume "
            f"{str(folder)!r}."
        )
    try:
        return load_model(path)
    except UnknownLayersError:
        raise
    except Exception as error:  # Keras raises anything for a broken file
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise _no_run(folder, f"whose {run_folder.MODEL} cannot be read ({reason})") from error


def _no_run(folder: Path, what: str) -> ValueError:
    return ValueError(
        f"run: received {str(folder)!r}, {what}; expected the folder of a finished run. Name one "
        "that keras-convnets train has written."
    )
