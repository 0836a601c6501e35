"""Progress on the console: a bar through the whole run, and a line for each finished epoch."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class ConsoleProgress(keras.callbacks.Callback):
    """A context manager and callback for ``fit``; where there is no terminal, only the lines."""

    def __init__(self, console: Console, steps: int) -> None:
        super().__init__()
        self._steps = steps
        self._on_a_terminal = console.is_terminal
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[metrics]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
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

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        epochs = self.params["epochs"]
        self._task = self._progress.add_task(
            "", total=epochs * self._steps, epoch=1, epochs=epochs, metrics=""
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._started = time.monotonic()
        self._progress.update(self._task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._progress.update(self._task, advance=1, metrics=_metrics(logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        epochs = self.params["epochs"]
        seconds = time.monotonic() - self._started
        number = f"{epoch + 1:{len(str(epochs))}}/{epochs}"
        test = f"test {logs['val_accuracy']:.1%}" if logs else ""
        line = f"epoch {number}  {_metrics(logs or {})}  {test}  {seconds:.1f} s"
        self._progress.console.print(line, highlight=False)


def _metrics(logs: dict[str, Any]) -> str:
    return f"loss {logs['loss']:.3f}  accuracy {logs['accuracy']:.1%}" if logs else ""
