"""Logs for TensorBoard: ``tensorboard --logdir RUN/logs``.

They are not written by ``keras.callbacks.TensorBoard``. A run calls ``fit`` once per epoch and
validates after it, so that callback would

- start a new event file in each epoch, since every ``fit`` resets its writers;
- receive no ``val_loss`` and no ``val_accuracy``;
- write the learning rate of the step after the epoch;
- count epochs from 0, without their duration.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import tensorflow as tf

from keras_convnets.training import run_folder
from keras_convnets.training.run_folder import History

_TAGS = {
    "loss": ("training", "loss"),
    "accuracy": ("training", "accuracy"),
    "val_loss": ("validation", "loss"),
    "val_accuracy": ("validation", "accuracy"),
    "learning_rate": ("training", "learning rate"),
    "seconds": ("training", "seconds an epoch"),
}
_FILES = "events.out.tfevents.*"


class TensorBoardLog:
    """A context that writes a point of each curve after each epoch; without a folder, nothing.

    It begins with the epochs that are finished already, in place of the logs that are there: the
    checkpoint is written first, so those of a killed run may lack its last epoch, and those of a
    checkpoint that was put back have too many.

    Args:
        folder: the folder of the run.
        history: the history of the epochs before, by column.
    """

    def __init__(self, folder: Path | None, history: History) -> None:
        self._folder, self._history = folder, history
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> TensorBoardLog:
        if self._folder is not None:
            logs = self._folder / run_folder.LOGS
            names = {writer for writer, _ in _TAGS.values()}
            before = [file for name in names for file in (logs / name).glob(_FILES)]
            self._writers = {
                name: tf.summary.create_file_writer(os.fsencode(logs / name))
                for name in sorted(names)
            }
            for epoch, values in enumerate(zip(*self._history.values(), strict=True), start=1):
                self.epoch(epoch, dict(zip(self._history, values, strict=True)))
            for file in before:
                file.unlink()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        """Write the metrics of an epoch, counted from 1."""
        for column, (name, tag) in _TAGS.items() if self._writers else ():
            with self._writers[name].as_default():
                tf.summary.scalar(tag, row[column], step=epoch)
                self._writers[name].flush()
