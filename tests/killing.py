"""Runs that end after a step, as if they had been killed there, and draw nothing."""

from keras_convnets.training import run_folder
from keras_convnets.training.run import loop, results
from keras_convnets.training.run.step_callback import StepCallback


def at_step(monkeypatch, number, act):
    """Call a function after a step, counted from 1; return a list of the steps.

    What the function raises ends the run.
    """
    done = []
    after = StepCallback.on_train_batch_end

    def acting(self, batch, logs=None):
        after(self, batch, logs)
        done.append(batch)
        if len(done) == number:
            act()

    monkeypatch.setattr(StepCallback, "on_train_batch_end", acting)
    return done


def kill(*_):
    raise MemoryError("killed")


def undraw(monkeypatch):
    """Leave the files empty that take long to draw."""
    monkeypatch.setattr(loop, "plot_curves", lambda history, file, title: file.touch())
    monkeypatch.setattr(results, "plot_curves", lambda history, file, title: file.touch())
    report = lambda folder, *_: (folder / run_folder.REPORT).touch()  # noqa: E731
    monkeypatch.setattr(results, "write_report", report)
