"""Runs that end after a step, as if they had been killed there."""

from keras_convnets.training.run.step_callback import StepCallback


def at_step(monkeypatch, number, act):
    """Call a function after a step, counted from 1; what it raises ends the run."""
    done = []
    after = StepCallback.on_train_batch_end

    def acting(self, batch, logs=None):
        after(self, batch, logs)
        done.append(batch)
        if len(done) == number:
            act()

    monkeypatch.setattr(StepCallback, "on_train_batch_end", acting)


def kill(*_):
    raise MemoryError("killed")
