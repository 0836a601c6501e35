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

_TAGS = {
    "loss": ("training", "loss"),
    "accuracy": ("training", "accuracy"),
    "val_loss": ("validation", "loss"),
    "val_accuracy": ("validation", "accuracy"),
    "learning_rate": ("training", "learning rate"),
    "seconds": ("training", "seconds an epoch"),
}


class TensorBoardLog:
    """A context that writes a point of each curve after each epoch; without a folder, nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> TensorBoardLog:
        if self._folder is not None:
            logs = self._folder / run_folder.LOGS
            names = {writer for writer, _ in _TAGS.values()}
            self._writers = {
                name: tf.summary.create_file_writer(os.fsencode(logs / name))
                for name in sorted(names)
            }
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
