"""The facts of one run, from its files; a run that cannot be read has a reason instead."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_convnets.readers.damage import DamagedFile, damage, whole
from keras_convnets.training import run_folder, run_lock
from keras_convnets.training.recipe.named import in_words
from keras_convnets.training.run import config_file
from keras_convnets.training.run.best_epoch import best_epoch
from keras_convnets.training.run.run_config import RunConfig

FINISHED, RUNNING, UNFINISHED, DAMAGED = "finished", "running", "unfinished", "damaged"

_MOST_BYTES = 2**26
_NEEDED = ("val_loss", "val_accuracy", "seconds")


@dataclasses.dataclass(frozen=True)
class RunFacts:
    """A run, as far as its files tell.

    Attributes:
        folder: its folder.
        state: ``"finished"``, ``"running"``, ``"unfinished"`` or ``"damaged"``.
        reason: why it is not finished, or what is wrong with it.
        config: its configuration; ``None`` if it cannot be read.
        history: the values of each column, epoch by epoch.
    """

    folder: Path
    state: str
    reason: str | None = None
    config: RunConfig | None = None
    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)

    @property
    def network(self) -> str | None:
        """The name of the model."""
        return None if self.config is None else self.config.model.name

    @property
    def data(self) -> str | None:
        """The name of the data set."""
        return None if self.config is None else self.config.data.name

    @property
    def recipe(self) -> str | None:
        """The recipe in words: its name, and what was changed."""
        return None if self.config is None else in_words(self.config.recipe)

    @property
    def seed(self) -> int | None:
        """The seed of the run."""
        return None if self.config is None else self.config.settings.seed

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.history.get("val_accuracy", ()))

    @property
    def planned(self) -> int | None:
        """The number of epochs of the whole run."""
        if self.config is None:
            return None
        recipe = self.config.recipe
        an_epoch = self.config.data.train_images // recipe.batch_size
        return recipe.total_epochs(an_epoch) if an_epoch else recipe.epochs

    @property
    def best(self) -> float | None:
        """The best accuracy on the validation images."""
        return None if self.best_epoch is None else self._accuracies[self.best_epoch - 1]

    @property
    def best_epoch(self) -> int | None:
        """The epoch that had it, from 1: the one that ``best.keras`` and ``--patience`` go by."""
        if not any(map(math.isfinite, self._accuracies)):
            return None
        return best_epoch(self.history)

    @property
    def last(self) -> float | None:
        """The accuracy on the validation images after the last epoch."""
        return self._accuracies[-1] if self._accuracies else None

    @property
    def test(self) -> float | None:
        """The accuracy of a finished run on the test images."""
        if self.config is None or self.config.outcome is None:
            return None
        return self.config.outcome.test_accuracy

    @property
    def seconds(self) -> float | None:
        """The time of the training steps of all epochs."""
        return sum(self.history["seconds"]) if self.history.get("seconds") else None

    @property
    def _accuracies(self) -> Sequence[float]:
        return self.history.get("val_accuracy", ())


def read(folder: Path) -> RunFacts:
    """Return the facts of a run; whatever is wrong with its files is its reason."""
    try:
        config = config_file.read(folder)
    except ValueError as error:
        return RunFacts(folder, DAMAGED, str(error))
    try:
        history = read_history(folder)
    except ValueError as error:
        return RunFacts(folder, DAMAGED, str(error), config)
    state, reason = _state(folder, config, len(history.get("val_accuracy", ())))
    return RunFacts(folder, state, reason, config, history)


def _state(folder: Path, config: RunConfig, epochs: int) -> tuple[str, str | None]:
    outcome = config.outcome
    if outcome is not None and not (folder / run_folder.MODEL).is_file():
        return DAMAGED, f"its {run_folder.MODEL} is missing"
    if outcome is not None and outcome.epochs != epochs:
        return DAMAGED, f"its {run_folder.HISTORY} has {epochs} of {outcome.epochs} epochs"
    if outcome is not None or run_folder.is_finished(folder):
        return FINISHED, None
    if holder := run_lock.holder(folder):
        return RUNNING, f"trained by {holder}"
    return UNFINISHED, "train --resume goes on with it"


def read_history(folder: Path) -> dict[str, list[float]]:
    """Return the columns of a run's history; none before its first epoch.

    Raises:
        ValueError: the file is damaged; the error says how.
    """
    file = folder / run_folder.HISTORY
    try:
        text = whole(file, _MOST_BYTES)
        with damage():
            return _columns(text.decode())
    except FileNotFoundError:
        return {}
    except DamagedFile as error:
        raise ValueError(f"its {file.name} is damaged ({error})") from error


def _columns(text: str) -> dict[str, list[float]]:
    names, *rows = list(csv.reader(io.StringIO(text), strict=True))
    if missing := {*_NEEDED} - {*names}:
        raise ValueError(f"it lacks the column {min(missing)}")
    if any(len(row) != len(names) for row in rows):
        raise ValueError("a line has another number of values than the first")
    return {name: [float(row[n]) for row in rows] for n, name in enumerate(names)}


def same_but_seed(config: RunConfig) -> Any:
    """Return what runs share that differ in their seed alone: all that decides the result.

    The split of the images follows the seed, and with it their number, means and deviations.
    """
    found = config.to_dict()
    arguments = dict(found["data"]["arguments"] or {})
    for name in ("seed", "data_dir"):
        arguments.pop(name, None)
    images = {k: v for k, v in found["preprocessing"].items() if k not in ("mean", "std")}
    settings = {k: v for k, v in found["settings"].items() if k not in ("seed", "checkpoint_steps")}
    data = (found["data"]["name"], found["data"]["augmentation"], found["data"]["class_names"])
    kept = (found["model"], data, arguments, images, found["recipe"], settings, found["request"])
    return repr((*kept, found["weights"]))
