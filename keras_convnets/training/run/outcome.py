"""The end of a run: its last steps, its results, and how it ended."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from keras_convnets.errors import RunStopped
from keras_convnets.files import NotWritten, reason, shown
from keras_convnets.memory import is_exhausted, words
from keras_convnets.training.distribute.multi_worker import wait_for_all
from keras_convnets.training.run.interruption import undisturbed
from keras_convnets.training.run.loop import Loop
from keras_convnets.training.run.results import write_results
from keras_convnets.training.run.run_config import RunConfig


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        folder: the folder of the run.
        epochs: the number of finished epochs.
        test_accuracy: the accuracy of a finished run on the test images, 0 to 1. For an interrupted
            run, that of its last epoch on the validation images, or ``None`` if none is finished.
        interrupted: whether Ctrl-C, SIGTERM or the time limit ended the run.
        timed_out: whether it was the time limit.
        stopped: why a finished run has ended before its last epoch; ``None`` if it has not.
        best_epoch: the number of the epoch whose model is kept as the best, from 1; ``None`` if
            none is.
        best_accuracy: its accuracy on the validation images, 0 to 1.
    """

    folder: Path
    epochs: int
    test_accuracy: float | None
    interrupted: bool
    timed_out: bool = False
    stopped: str | None = None
    best_epoch: int | None = None
    best_accuracy: float | None = None


def finish(loop: Loop, out: Path, config: RunConfig) -> Outcome:
    """Train a run to its end, write its results and return how it ended.

    Raises:
        RunStopped: it cannot go on.
    """
    try:
        interrupted = loop.go_on()
        with undisturbed():
            accuracy = write_results(loop, config, interrupted)
            wait_for_all(loop.strategy)
    except (OSError, NotWritten) as error:
        if loop.is_of_callback(error):
            raise
        what = getattr(error, "what", f"cannot write to {shown(out)}: {reason(error)}")
        raise RunStopped(
            f"{what}. The run's last checkpoint is intact: make room, and go on with --resume."
        ) from error
    except Exception as error:
        if loop.is_of_callback(error) or not loop.has_begun or not is_exhausted(error):
            raise
        raise RunStopped(
            f"{words(error)}. The run's last checkpoint is intact: free some memory, and go on "
            "with --resume."
        ) from error
    return _outcome(loop, out, accuracy, interrupted)


def _outcome(loop: Loop, out: Path, accuracy: float | None, interrupted: bool) -> Outcome:
    accuracies = loop.position.history["val_accuracy"]
    if accuracy is None and accuracies:
        accuracy = accuracies[-1]
    best = loop.best_epoch
    return Outcome(
        out,
        len(accuracies),
        accuracy,
        interrupted,
        timed_out=loop.timed_out,
        stopped=None if interrupted else loop.stopped,
        best_epoch=best,
        best_accuracy=None if best is None else accuracies[best - 1],
    )
