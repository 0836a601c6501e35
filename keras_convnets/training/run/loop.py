"""The epochs of a run: one Keras ``fit`` per epoch, with checkpoints to resume from."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from keras_convnets import axes, files, memory
from keras_convnets.errors import OutOfMemoryError, RunStopped
from keras_convnets.images import batches as image_batches
from keras_convnets.training import run_folder
from keras_convnets.training.data import pipeline
from keras_convnets.training.data.data import Data
from keras_convnets.training.distribute.multi_worker import asked_anywhere, explained, patched_fit
from keras_convnets.training.distribute.strategies import check_step
from keras_convnets.training.recipe.averages import Averages
from keras_convnets.training.recipe.compiling import compile_model
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.report.curves import plot_curves
from keras_convnets.training.run import checkpoint
from keras_convnets.training.run.checkpoint import Position
from keras_convnets.training.run.enough_memory import REMEDY, asked
from keras_convnets.training.run.interruption import Interruption
from keras_convnets.training.run.progress import ConsoleProgress
from keras_convnets.training.run.step_callback import StepCallback
from keras_convnets.training.run.tensorboard import TensorBoardLog
from keras_convnets.training.run.validation import Validation
from keras_convnets.training.run_lock import RunLock


class Loop:
    """The training loop of a run, from the first step or a checkpoint to the end.

    Args:
        model: the model to train; it is compiled here.
        data: the training and validation data.
        recipe: the training recipe.
        settings: how the run is carried out.
        console: where progress is shown.
        run: the run's name in its checkpoints; `RunConfig` has it.

    Attributes:
        lock: the lock of the folder that the chief writes to; ``None`` on the other machines.
    """

    def __init__(
        self,
        model: keras.Model,
        data: Data,
        recipe: Recipe,
        settings: Settings,
        console: Console,
        run: str | None,
    ) -> None:
        self.model, self.data, self.recipe, self.settings = model, data, recipe, settings
        self.console, self.run = console, run
        self.lock: RunLock | None = None
        self.steps_per_epoch = pipeline.steps_per_epoch(data, recipe.batch_size)
        self.total_steps = recipe.total_steps(self.steps_per_epoch)
        self.epochs = recipe.total_epochs(self.steps_per_epoch)
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
        self.is_resumed = False
        self._steps: StepCallback | None = None

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
        self._check_position(file, position)
        checkpoint.restore(arrays, self.variables)
        self.position = position
        if not self.position.step:
            # These values are from validation. Keras resets only metrics that have seen a batch.
            for variable in self._metric_variables:
                variable.assign(keras.ops.zeros_like(variable))
        self.is_resumed = True

    def _check_position(self, file: Path, position: Position) -> None:
        """Refuse a checkpoint whose position is none of this run."""
        wrong = None
        if position.run != self.run:
            wrong = "it belongs to another run"
        elif not 0 <= position.epoch <= self.epochs:
            wrong = f"it is of epoch {position.epoch + 1:,} of {self.epochs:,}"
        elif not 0 <= position.step < max(self.steps_in(position.epoch), 1):
            wrong = f"epoch {position.epoch + 1:,} has no step {position.step:,}"
        elif tuple(position.history) != run_folder.COLUMNS or any(
            len(values) != position.epoch for values in position.history.values()
        ):
            wrong = "its history does not match its epochs"
        elif not 0 <= position.seconds < math.inf:  # NaN is neither
            wrong = f"its epoch has taken {position.seconds:g} seconds"
        if wrong is not None:
            raise ValueError(
                f"resume: cannot use {str(file)!r}: {wrong}; expected the last checkpoint of this "
                "run. Put back a copy of the file, or start a new run."
            )

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
        with Interruption() as interruption, log, patched_fit(self.strategy):
            progress = ConsoleProgress(
                self.console, self.epochs, self.total_steps, self.recipe.batch_size, validated_on
            )
            try:
                with progress:
                    for epoch in range(self.position.epoch, self.epochs):
                        self._epoch(epoch, progress, log, interruption)
                        if asked_anywhere(self.strategy, interruption.asked):
                            raise KeyboardInterrupt
            except KeyboardInterrupt:
                return True
            except Exception as error:
                self._explain(error)
                raise
        return False

    def _explain(self, error: Exception) -> None:
        """Raise what ended the steps in a line, if it is known; leave the rest to `patched_fit`."""
        if memory.is_exhausted(error):
            raise self._out_of_memory(error) from error
        if not isinstance(error, tf.errors.OpError) or explained(error) is not error:
            return
        epoch, step = self.position.epoch + 1, self.position.step
        whole = f"The last checkpoint, of step {step:,} of epoch {epoch}, is intact"
        if broken := pipeline.explain(error, self.data):
            raise RunStopped(
                f"{broken}. {whole}: mend or remove the file, and go on with --resume."
            ) from error
        if refused := files.reason(error):
            raise RunStopped(
                f"{refused}. {whole}: mend what the system refused, and go on with --resume."
            ) from error

    def _out_of_memory(self, error: Exception) -> Exception:
        """Return an error that is a refusal if the run has not taken a step, or else stops it."""
        what = f"out of memory in {asked(self.recipe, self.data)} ({memory.words(error)})"
        if not self.has_begun:
            return OutOfMemoryError(f"{what}. {REMEDY}.")
        return RunStopped(
            f"{what}. The last checkpoint is intact: free some memory, and go on with --resume."
        )

    def _epoch(
        self, epoch: int, progress: ConsoleProgress, log: TensorBoardLog, interruption: Interruption
    ) -> None:
        started = time.monotonic() - self.position.seconds
        training = self._train(epoch, started, progress, interruption)
        seconds = time.monotonic() - started
        with self.averages.used():
            test = self._validate()
        rate = self.recipe.rates(self.steps_per_epoch)(self.steps_before(epoch + 1) - 1)
        row = {
            "loss": training["loss"],
            "accuracy": training["accuracy"],
            "val_loss": test["loss"],
            "val_accuracy": test["accuracy"],
            "learning_rate": float(rate),
            "seconds": round(seconds, 3),
        }
        history = {name: [*values, row[name]] for name, values in self.position.history.items()}
        self.save(Position(epoch + 1, 0, history))
        log.epoch(epoch + 1, row)
        progress.epoch_done(epoch, row)
        if self.folder is not None:
            run_folder.write_history(self.folder, history)
            title = f"{self.model.name} on {self.data.name}"
            plot_curves(history, self.folder / run_folder.CURVES, title)

    def _train(
        self, epoch: int, started: float, progress: ConsoleProgress, interruption: Interruption
    ) -> dict[str, float]:
        first, last = self.position.step, self.steps_in(epoch)
        carried = checkpoint.values_of(self._metric_variables) if first else None

        def save(step: int) -> None:
            seconds = time.monotonic() - started
            self.save(Position(epoch, step, self.position.history, seconds))

        self._steps = steps = StepCallback(
            epoch=epoch,
            steps=range(first, last),
            before=self.steps_before(epoch),
            checkpoint_steps=self.settings.checkpoint_steps,
            save=save,
            interruption=interruption,
            metrics=(self._metric_variables, carried),
        )
        progress.start_epoch(epoch, self.steps_before(epoch) + first)
        history = self.model.fit(
            self._batches(epoch, first, last),
            initial_epoch=epoch,
            epochs=epoch + 1,
            steps_per_epoch=last - first,
            callbacks=[steps, progress],
            shuffle=False,
            verbose=0,
        ).history
        steps.check_last()
        return {name: float(values[-1]) for name, values in history.items()}

    def _validate(self) -> dict[str, float]:
        images = image_batches.evaluation_batches(
            self.data.validation,
            self.data.preprocessing,
            self.recipe.batch_size,
            axes.format_of(self.model),
        )
        return self._validation(images)

    def steps_before(self, epoch: int) -> int:
        """Return the number of steps of the run before an epoch, counted from 0."""
        return min(epoch * self.steps_per_epoch, self.total_steps)

    def steps_in(self, epoch: int) -> int:
        """Return the number of steps of an epoch; the last epoch may be incomplete."""
        return self.steps_before(epoch + 1) - self.steps_before(epoch)

    def _batches(self, epoch: int, first: int, last: int) -> Any:
        def batches(context: Any) -> tf.data.Dataset:
            found = pipeline.training_batches(
                self.data,
                self.recipe.batch_size,
                seed=self.settings.seed,
                epoch=epoch,
                first_step=first,
                data_format=axes.format_of(self.model),
                replicas=self.strategy.num_replicas_in_sync,
                pipeline=context.input_pipeline_id,
                pipelines=context.num_input_pipelines,
            )
            a_step = self.strategy.num_replicas_in_sync // context.num_input_pipelines
            return self._objective.labelled(found.take((last - first) * a_step))

        if self.strategy.num_replicas_in_sync == 1:
            return batches(tf.distribute.InputContext())
        return self.strategy.distribute_datasets_from_function(batches)
