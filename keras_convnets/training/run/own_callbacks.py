"""Keras callbacks of the user's own, as in one ``fit`` over all epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_convnets import checks
from keras_convnets.received import shown
from keras_convnets.training.distribute.multi_worker import is_multi_worker

# What a run does itself, or what could not work in it.
_REFUSED = {
    "LearningRateScheduler": "the recipe sets the learning rate of each step: choose its schedule",
    "ReduceLROnPlateau": "the recipe sets the learning rate of each step: choose its schedule",
    "BackupAndRestore": "a run has checkpoints of its own: resume it",
    "SwapEMAWeights": "a run validates and saves averages itself: set the recipe's ema_momentum",
}


def checked(callbacks: Any, averages: bool = False) -> list[keras.callbacks.Callback]:
    """Return callbacks as a list; refuse what is none, or cannot work within a run.

    Args:
        callbacks: the callbacks, or ``None``.
        averages: whether the recipe has averages of the weights.

    Raises:
        ValueError: the error names the callback.
    """
    found = [] if callbacks is None else list(checks.items("callbacks", callbacks))
    for callback in found:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                f"callbacks: received {shown(callback)}; expected a list of "
                "keras.callbacks.Callback. Pass an instance of such a class."
            )
        for name, why in _REFUSED.items():
            if isinstance(callback, getattr(keras.callbacks, name)):
                raise ValueError(
                    f"callbacks: received keras.callbacks.{name}; expected others, for {why}. "
                    "Leave it out."
                )
        if averages and getattr(callback, "restore_best_weights", False):
            raise ValueError(
                "callbacks: received one that restores the best weights beside ema_momentum; "
                "expected one of the two, for the averages would take their place. Use --patience "
                "and the best model that the run keeps."
            )
    return found


class OwnCallbacks(keras.callbacks.Callback):
    """Passes the events of a run to callbacks: those of one ``fit`` to the first of the epochs.

    It is the callback of each epoch's ``fit``. The events after the last step of an epoch, which
    come after the validation, are passed by the run.

    Args:
        callbacks: the callbacks.
        model: the model, compiled.
        epochs: the epochs of the run.
        steps: the steps of an epoch.

    Attributes:
        are_any: whether there are callbacks at all.
        first_step: the steps of the epoch that were taken before this ``fit``.
        error: what one of them has raised, which is for the user as it is.
    """

    def __init__(
        self, callbacks: Iterable[keras.callbacks.Callback], model: Any, epochs: int, steps: int
    ) -> None:
        super().__init__()
        given = list(callbacks)
        how = {"epochs": epochs, "steps": steps, "verbose": 0}
        self.are_any = bool(given)
        self.first_step = 0
        self.error: Exception | None = None
        self._all = keras.callbacks.CallbackList(given, model=model, **how) if given else None
        self._of_several = is_multi_worker(model.distribute_strategy)
        self._has_begun = self._is_held = False
        self._logs: dict[str, Any] = {}

    def _tell(self, event: str, *arguments: Any) -> None:
        if self._all is None:
            return
        try:
            getattr(self._all, event)(*arguments)
        except Exception as error:
            self.error = error
            raise

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._tell("on_train_begin")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_epoch_begin", epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_train_batch_begin", self.first_step + batch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_train_batch_end", self.first_step + batch, logs)
        if self._of_several and self.model.stop_training:
            self._is_held, self.model.stop_training = True, False

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_test_begin", logs)

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_test_batch_end", batch, logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._tell("on_test_end", logs)

    @property
    def has_stopped(self) -> bool:
        """Whether a callback has asked to stop; a machine of several goes on to the epoch's end."""
        return self._all is not None and bool(self._is_held or self._all.model.stop_training)

    def epoch_done(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Tell the callbacks of an epoch, counted from 0, with its training and validation."""
        self._logs = dict(logs)
        self._tell("on_epoch_end", epoch, self._logs)

    def end(self) -> None:
        """Tell the callbacks that the run is over."""
        self.on_train_begin()  # of a run of which only the end was left
        self._tell("on_train_end", self._logs)
