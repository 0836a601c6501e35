"""A finished run, opened again: its model and its preprocessing."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets import checks, files
from keras_convnets.analysis.cost.parameters import parameters_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.fits import check_takes
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.saved_models import read_model
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import SPLITS, LabelledImages, load_labelled
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_config import RunConfig
from keras_convnets.training.run.run_data import (
    changed,
    check_classes,
    is_own,
    load_run_data,
    preprocessing_of,
)
from keras_convnets.typed import explaining


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
        config = config_file.understood(self.folder, self.config)
        data = load_run_data(self.folder, config, name, data_dir)
        check_classes(self.folder, self.model.name, self.class_names, data)
        return data

    def load_images(
        self,
        name: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        split: str | None = None,
    ) -> LabelledImages:
        """Return labelled images to evaluate the model on, as ``keras-convnets evaluate`` does.

        Those of the run itself are split as they were. Of other data, nothing is held out: they
        are the test images, if the data have some, else all images. Their classes are told by
        their names.

        Args:
            name: the name of other data, as in `load_data`; by default the run's own.
            data_dir: the folder of the data files, if it is not that of the run.
            split: ``"test"``, ``"validation"`` or ``"train"``, for these images; those of other
                data are split as the run's own were.

        Raises:
            ValueError: as in `load_data`, or the names of the classes do not tell which is which.

        Examples:
            >>> from keras_convnets.training import evaluate, open_run
            >>> new = open_run("runs/flowers").load_images("folder:new")  # doctest: +SKIP
            >>> evaluate(run.model, new.images, new.preprocessing)  # doctest: +SKIP
        """
        config = config_file.understood(self.folder, self.config)
        if split is None and name is not None and not is_own(config, name):
            where = None if data_dir is None else Path(data_dir)
            check = functools.partial(check_classes, self.folder, self.model.name, self.class_names)
            return load_labelled(name, where, None, self.preprocessing, self.class_names, check)
        split = checks.choice("split", split or "test", SPLITS)
        data = self.load_data(name, data_dir)
        is_owned = name is None or is_own(config, name)
        words = changed(config, data) if is_owned else data.words
        return LabelledImages(getattr(data, split), data.preprocessing, data.name, split, words)


@explaining
def open_run(folder: str | os.PathLike[str], best: bool = False) -> SavedRun:
    """Open the folder of a run to evaluate its model or to predict with it.

    Args:
        folder: the folder that ``train`` wrote.
        best: take the model of the epoch with the best validation accuracy in place of the last
            one; the run may be unfinished.

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
    if not os.path.isdir(folder):
        what = "which is a file" if os.path.exists(folder) else "which does not exist"
        raise _no_run(folder, what)
    contents = config_file.contents(folder)
    config = config_file.understood(folder, contents)
    preprocessing = preprocessing_of(folder, config)
    name = run_folder.BEST if checks.boolean("best", best) else run_folder.MODEL
    model = _model(folder, name)
    _check_model(folder, name, model, config)
    return SavedRun(folder, model, preprocessing, config.data.class_names, contents)


def _check_model(folder: Path, name: str, model: Any, config: RunConfig) -> None:
    """Refuse the model of another run; of a run that is not finished, as far as can be told."""
    facts = config.model
    try:
        check_takes(model, facts.input_shape, f"as {run_folder.CONFIG} says", "")
    except ValueError as error:
        what = f"whose {name} is not that of the run ({error})"
        raise _no_run(folder, what) from error
    parameters, statistics = parameters_of(model)
    if facts.statistics is None:  # earlier versions counted all weights as parameters
        parameters, statistics = parameters + statistics, 0
    has = (model.name, parameters, statistics, model.output_shape[-1])
    expected = (facts.name, facts.parameters, facts.statistics or 0, facts.num_outputs)
    words = ("name", "parameters", "statistics", "outputs")
    for what, one, other in zip(words, has, expected, strict=True):
        if one != other:
            raise _no_run(
                folder,
                f"whose {name} is not that of the run: {what} {one!r}, and "
                f"{run_folder.CONFIG} says {other!r}",
            )
    outcome = config.outcome
    written = outcome and (outcome.model if name == run_folder.MODEL else outcome.best)
    if written and written != run_folder.digest(folder / name):
        what = f"whose {name} is not the file that was written at its end"
        raise _no_run(folder, what)


def _model(folder: Path, name: str) -> Any:
    try:
        return read_model(folder / name)
    except FileNotFoundError:
        if name == run_folder.BEST:
            raise ValueError(
                f"best: received True with {str(folder)!r}, which has no {name}; expected a run "
                "that keeps its best model: one with validation images (--validation-split), or "
                "with --keep-best. Leave --best (best) out for the last model."
            ) from None
        raise ValueError(
            f"run: received {str(folder)!r}, which has no {run_folder.MODEL} yet; expected the "
            "folder of a finished run. Finish it with keras-convnets train --resume "
            f"{str(folder)!r}."
        ) from None
    except DamagedFile as error:
        raise _no_run(folder, f"whose {name} cannot be read ({error})") from error


def _no_run(folder: Path, what: str) -> ValueError:
    return ValueError(
        f"run: received {files.shown(folder)}, {what}; expected the folder of a finished run. "
        "Name one that keras-convnets train has written."
    )
