"""The epochs of a run: one Keras ``fit`` per epoch, with checkpoints to resume from."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from keras_convnets import axes
from keras_convnets.images import batches as image_batches
from keras_convnets.printable import print_line
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.distribute.multi_worker import asked_anywhere, patched_fit
from keras_convnets.training.distribute.strategies import check_step
from keras_convnets.training.recipe.averages import Averages
from keras_convnets.training.recipe.compiling import compile_model
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.report.curves import plot_curves
from keras_convnets.training.run import checkpoint, faults
from keras_convnets.training.run.batches import epoch_batches
from keras_convnets.training.run.best import is_kept, write_best
from keras_convnets.training.run.best_epoch import best_epoch, out_of_patience
from keras_convnets.training.run.checkpoint import Position
from keras_convnets.training.run.interruption import Interruption
from keras_convnets.training.run.length import Length
from keras_convnets.training.run.own_callbacks import OwnCallbacks
from keras_convnets.training.run.progress import ConsoleProgress
from keras_convnets.training.run.step_callback import StepCallback
from keras_convnets.training.run.tensorboard import TensorBoardLog
from keras_convnets.training.run.validation import Validation
from keras_convnets.training.run_lock import RunLock

_LOGGED = ("loss", "accuracy", "val_loss", "val_accuracy")  # as Keras' own fit would


class Loop:
    """The training loop of a run, from the first step or a checkpoint to the end.

    Args:
        model: the model to train; it is compiled here.
        data: the training and validation data.
        recipe: the training recipe.
        settings: how the run is carried out.
        console: where progress is shown.
        run: the run's name in its checkpoints; `RunConfig` has it.
        callbacks: callbacks of the user's own.
        started: when the time of the run's time limit began, by ``time.monotonic``.

    Attributes:
        lock: the lock of the folder that the chief writes to; ``None`` on the other machines.
        timed_out: whether the time limit ended the steps.
    """

    def __init__(
        self,
        model: keras.Model,
        data: Data,
        recipe: Recipe,
        settings: Settings,
        console: Console,
        run: str | None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        started: float | None = None,
    ) -> None:
        self.model, self.data, self.recipe, self.settings = model, data, recipe, settings
        self.console, self.run = console, run
        self.lock: RunLock | None = None
        self.length = Length.of(data, recipe)
        self.strategy = model.distribute_strategy
        check_step(model, settings.jit, settings.steps_per_execution)
        self._objective = compile_model(model, data, recipe, settings)
        self.averages = Averages(model)
        self._validation = Validation(model, self._objective)
        accuracy = self._objective.accuracy
        self._metric_variables = [*model.metrics[0].variables, *accuracy.variables]
        self.variables: Sequence[Any] = [
            *model.variables,
            *model.optimizer.variables,
            *self._metric_variables,
        ]
        self.position = Position(0, 0, {name: [] for name in run_folder.COLUMNS})
        self.is_resumed = self.timed_out = False
        self._started = time.monotonic() if started is None else started
        self._own = OwnCallbacks(callbacks, model, self.length.epochs, self.length.steps_per_epoch)
        self._keeps_best = is_kept(settings, data)
        self._steps: StepCallback | None = None
        self._steps_taken = 0  # of the whole run, at the end of an epoch

    @property
    def has_begun(self) -> bool:
        """Whether the run has taken a step, in this process or before."""
        taken = self._steps is not None and self._steps.taken > 0
        return self.is_resumed or taken or self.position.epoch > 0

    @property
    def folder(self) -> Path | None:
        """The folder that the chief writes to; ``None`` on the other machines."""
        return None if self.lock is None else self.lock.folder

    def check_folder(self) -> None:
        """Refuse to write to a folder that is no longer the run's; see `RunLock.check`."""
        if self.lock is not None:
            self.lock.check()

    def restore(self, file: Path) -> None:
        """Restore the state of a checkpoint."""
        arrays, position = checkpoint.read(file)
        checkpoint.check_position(file, position, self.run, self.length)
        checkpoint.restore(arrays, self.variables)
        self.position = position
        if not self.position.step:
            # These values are from validation. Keras resets only metrics that have seen a batch.
            for variable in self._metric_variables:
                variable.assign(keras.ops.zeros_like(variable))
        self.is_resumed = True

    def save(self, position: Position) -> None:
        """Write a checkpoint; all machines must call this, because reading the values needs all."""
        arrays = checkpoint.values_of(self.variables)
        self.check_folder()
        position = dataclasses.replace(position, run=self.run)
        if self.folder is not None:
            checkpoint.write(self.folder / run_folder.CHECKPOINT, arrays, position)
        self.position = position

    def go_on(self) -> bool:
        """Train from the current position to the end; return whether it was interrupted."""
        log = TensorBoardLog(self.folder, self.position.history)
        validated_on = "test" if self.data.validation is self.data.test else "validation"
        limit = self.settings.time_limit
        until = None if limit is None else self._started + limit
        with Interruption(until) as interruption, log, patched_fit(self.strategy):
            progress = ConsoleProgress(
                self.console,
                self.length.epochs,
                self.length.total_steps,
                self.recipe.batch_size,
                validated_on,
            )
            try:
                self._keep_best()  # which a killed run may not have written
                with progress:
                    self._epochs(progress, log, interruption)
                if self.stopped is not None:
                    of = f"epoch {self.position.epoch} of {self.length.epochs}"
                    print_line(self.console, f"ended after {of}: {self.stopped}")
                self._own.end()
            except KeyboardInterrupt:
                self.timed_out = until is not None and not interruption.signalled
                return True
            except Exception as error:
                if self.is_of_callback(error):
                    raise
                faults.explain(error, self.data, self.recipe, self.position, self.has_begun)
                raise
        return False

    def is_of_callback(self, error: Exception) -> bool:
        """Return whether a callback of the user's own has raised an error."""
        return error is self._own.error

    @property
    def is_over(self) -> bool:
        """Whether no epoch is left: all are finished, or the run has ended before."""
        is_last = self.position.epoch >= self.length.epochs or self.stopped is not None
        return is_last and not self.position.step

    @property
    def stopped(self) -> str | None:
        """Why the run has ended before its last epoch; ``None`` if it has not."""
        if self.position.epoch >= self.length.epochs:
            return None
        if self.position.stopped:
            return "a callback has stopped it"
        return out_of_patience(self.position.history, self.recipe.patience)

    @property
    def best_epoch(self) -> int | None:
        """The number of the epoch whose model is kept as the best, from 1; ``None`` if none is."""
        return (best_epoch(self.position.history) or None) if self._keeps_best else None

    def _epochs(
        self, progress: ConsoleProgress, log: TensorBoardLog, interruption: Interruption
    ) -> None:
        while not self.is_over:
            self._epoch(self.position.epoch, progress, log, interruption)
            # A run whose time is over at its very end is finished all the same.
            asked = interruption.signalled if self.is_over else interruption.asked
            if asked_anywhere(self.strategy, asked):
                raise KeyboardInterrupt

    def _keep_best(self) -> None:
        """Write the model if this is the end of the best epoch so far.

        The checkpoint of the epoch is written before, so the best of the history is in the file.
        """
        position = self.position
        is_best = position.epoch and not position.step
        if self._keeps_best and is_best and best_epoch(position.history) == position.epoch:
            with self.averages.used():
                if self.folder is not None:
                    write_best(self.folder, self.model, self.data.preprocessing, self.data)

    def _epoch(
        self, epoch: int, progress: ConsoleProgress, log: TensorBoardLog, interruption: Interruption
    ) -> None:
        started = time.monotonic() - self.position.seconds
        training = self._train(epoch, started, progress, interruption)
        seconds = time.monotonic() - started
        with self.averages.used():
            test = self._validate()
        rate = self.recipe.rates(self.length.steps_per_epoch)(self._steps_taken - 1)
        row = {
            "loss": training["loss"],
            "accuracy": training["accuracy"],
            "val_loss": test["loss"],
            "val_accuracy": test["accuracy"],
            "learning_rate": float(rate),
            "seconds": round(seconds, 3),
        }
        history = {name: [*values, row[name]] for name, values in self.position.history.items()}
        try:
            self._own.epoch_done(epoch, {name: row[name] for name in _LOGGED})
        finally:  # an error in a callback is no reason to lose the epoch
            stopped = asked_anywhere(self.strategy, self._own.has_stopped)
            self.save(Position(epoch + 1, 0, history, stopped=stopped))
        self._keep_best()
        log.epoch(epoch + 1, row)
        progress.epoch_done(epoch, row)
        if self.folder is not None:
            run_folder.write_history(self.folder, history)
            title = f"{self.model.name} on {self.data.name}"
            plot_curves(history, self.folder / run_folder.CURVES, title)

    def _train(
        self, epoch: int, started: float, progress: ConsoleProgress, interruption: Interruption
    ) -> dict[str, float]:
        first, last = self.position.step, self.length.steps_in(epoch)
        carried = checkpoint.values_of(self._metric_variables) if first else None

        def save(step: int) -> None:
            seconds = time.monotonic() - started
            self.save(Position(epoch, step, self.position.history, seconds))

        self._steps = steps = StepCallback(
            epoch=epoch,
            steps=range(first, last),
            before=self.length.steps_before(epoch),
            checkpoint_steps=self.settings.checkpoint_steps,
            save=save,
            interruption=interruption,
            metrics=(self._metric_variables, carried),
        )
        self._own.first_step = first
        how = self.recipe.batch_size, self.settings.seed, self._objective
        progress.start_epoch(epoch, self.length.steps_before(epoch) + first)
        history = self.model.fit(
            epoch_batches(self.model, self.data, *how, epoch, range(first, last)),
            initial_epoch=epoch,
            epochs=epoch + 1,
            steps_per_epoch=last - first,
            callbacks=[self._own, steps, progress] if self._own.are_any else [steps, progress],
            shuffle=False,
            verbose=0,
        ).history
        steps.check_last()
        self._steps_taken = self.length.steps_before(epoch) + steps.done
        return {name: float(values[-1]) for name, values in history.items()}

    def _validate(self) -> dict[str, float]:
        images = image_batches.evaluation_batches(
            self.data.validation,
            self.data.preprocessing,
            self.recipe.batch_size,
            axes.format_of(self.model),
        )
        return self._validation(images, self._own if self._own.are_any else None)
