"""What happens after each step: check the loss, write checkpoints, react to signals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets.errors import RunStopped
from keras_convnets.training.distribute.multi_worker import asked_anywhere, is_multi_worker
from keras_convnets.training.run.interruption import Interruption

_TOGETHER = 10  # steps between joint decisions of several machines


class StepCallback(keras.callbacks.Callback):
    """The callback for the steps of one epoch, or for the rest of an epoch after a resume.

    Args:
        epoch: the epoch, from 0.
        steps: the range of its steps to take, from 0.
        before: the number of steps of the run before the epoch.
        checkpoint_steps: the number of steps between calls of ``save``.
        save: writes a checkpoint; receives the number of finished steps of the epoch.
        interruption: checked after each step for a request to stop.
        metrics: the variables of the metrics, and their values after the steps before ``steps``,
            or ``None``.
    """

    def __init__(
        self,
        *,
        epoch: int,
        steps: range,
        before: int,
        checkpoint_steps: int,
        save: Callable[[int], None],
        interruption: Interruption,
        metrics: tuple[Sequence[Any], Mapping[str, np.ndarray] | None],
    ) -> None:
        super().__init__()
        self._epoch, self._steps, self._before = epoch, steps, before
        self._checkpoint_steps, self._save = checkpoint_steps, save
        self._interruption = interruption
        self._metrics, self._carried = metrics
        self._unchecked: tuple[int, Any] | None = None
        self.taken = 0  # steps

    @property
    def done(self) -> int:
        """The number of finished steps of the epoch, with those before ``steps``."""
        return min(self._steps.start + self.taken, self._steps.stop)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Keras has just reset them to 0.
        if self._carried is not None:
            for variable, value in zip(self._metrics, self._carried.values(), strict=True):
                variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.taken = batch + 1
        done = self.done
        # Check the previous step's loss: waiting for this step's would leave the device idle.
        self.check_last()
        self._unchecked = (done, (logs or {})["loss"])
        if done == self._steps.stop:  # the end of the epoch writes its own checkpoint
            return
        if self._asked_to_stop(done):
            self._checkpoint(done)
            raise KeyboardInterrupt
        if done % self._checkpoint_steps == 0:
            self._checkpoint(done)

    def _asked_to_stop(self, done: int) -> bool:
        """Return whether to stop here; several machines decide together, every few steps."""
        strategy = self.model.distribute_strategy
        if is_multi_worker(strategy) and done % _TOGETHER:
            return False
        return asked_anywhere(strategy, self._interruption.asked)

    def _checkpoint(self, done: int) -> None:
        self.check_last()
        self._save(done)

    def check_last(self) -> None:
        """Stop the run if the last loss was not finite.

        Raises:
            RunStopped: the loss was not finite; the error gives the step and a remedy.
        """
        if self._unchecked is None:
            return
        done, loss = self._unchecked
        self._unchecked = None
        if not math.isfinite(float(loss)):
            raise RunStopped(
                f"the loss is {float(loss)} at step {self._before + done:,} (step {done:,} of "
                f"epoch {self._epoch + 1}). The last checkpoint is from before. Train with a lower "
                "learning rate, or a longer warm-up."
            )
