"""Progress on the console: a bar for the whole run, and a line for each finished epoch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from keras_convnets.printable import print_line

_REDRAWN = 0.2  # seconds between readings of the loss, each of which waits for the device


class ConsoleProgress(keras.callbacks.Callback):
    """A context manager and callback for ``fit``; without a terminal, it prints only the lines.

    Args:
        console: the console to show progress on.
        epochs: the number of epochs of the run.
        steps: the number of steps of the run.
        batch_size: images per step.
        validated_on: the name of the validation images, for the line of an epoch.
    """

    def __init__(
        self, console: Console, epochs: int, steps: int, batch_size: int, validated_on: str = "test"
    ) -> None:
        super().__init__()
        self._epochs, self._batch_size = epochs, batch_size
        self._validated_on = validated_on
        self._on_a_terminal = console.is_terminal
        self._first = self._done = 0
        self._looked = self._started = 0.0
        self._metrics = self._rate = ""
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[metrics]}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(
            "", total=steps, epoch=1, epochs=epochs, metrics="", rate=""
        )

    def __enter__(self) -> ConsoleProgress:
        if self._on_a_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._on_a_terminal:
            self._progress.stop()

    def start_epoch(self, epoch: int, steps_done: int) -> None:
        """Show that an epoch, counted from 0, starts or resumes after ``steps_done`` steps."""
        self._first = self._done = steps_done
        self._started = time.monotonic()
        self._progress.update(self._task, epoch=epoch + 1, completed=steps_done)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._done = self._first + batch + 1
        now = time.monotonic()
        if self._on_a_terminal and now - self._looked > _REDRAWN:
            self._looked = now
            self._metrics = _metrics(logs or {})
            images = (self._done - self._first) * self._batch_size
            self._rate = f"{images / (now - self._started):,.0f} images/s"
        self._progress.update(
            self._task, completed=self._done, metrics=self._metrics, rate=self._rate
        )

    def epoch_done(self, epoch: int, row: Mapping[str, float]) -> None:
        """Print the line of an epoch, counted from 0."""
        number = f"{epoch + 1:{len(str(self._epochs))}}/{self._epochs}"
        images = (self._done - self._first) * self._batch_size
        elapsed = max(time.monotonic() - self._started, 1e-9)
        line = (
            f"epoch {number}  {_metrics(row)}  {self._validated_on} {row['val_accuracy']:.1%}  "
            f"{row['seconds']:.1f} s  {images / elapsed:,.0f} images/s"
        )
        print_line(self._progress.console, line)


def _metrics(logs: Mapping[str, Any]) -> str:
    return f"loss {float(logs['loss']):.3f}  accuracy {float(logs['accuracy']):.1%}" if logs else ""
