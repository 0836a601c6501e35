"""Write the run that a version of the package keeps in the repository, for the versions after it.

    python scripts/keep_run.py tests/data/runs/format_1

Whoever changes the format of a run's files runs this before the change, and adds the folder;
``tests/training/test_kept_runs.py`` opens, evaluates, fine-tunes and resumes all of them. The run
was interrupted in its second epoch. Its folder has the files that are ever read, and
``expected.npz``: what its model predicts, and what it predicts once the run was resumed.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
from rich.console import Console

from keras_convnets.training import (
    RECIPES,
    Settings,
    evaluate,
    load_data,
    make_repeatable,
    open_run,
    resume,
    train,
)
from keras_convnets.training.run.step_callback import StepCallback

STEPS = 5 + 2
READ = ("config.json", "checkpoint.npz", "history.csv", "start.keras", "model.keras")
# All that a run keeps a state of, or that a file of it tells.
VALUES: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 256,
    "patience": 1,
    "augmentation": "shift+mixup:0.2",
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "optimizer_arguments": {"beta_2": 0.99},
    "accumulation_steps": 2,
    "ema_momentum": 0.5,
    "class_weights": "balanced",
}


def main(folder: Path) -> None:
    """Write the run to a folder that does not exist yet."""
    settings = Settings(seed=3, checkpoint_steps=2, deterministic=True)
    make_repeatable(settings)
    data = load_data("digits", image_size=8)
    recipe = RECIPES["quick"].replace(**VALUES)
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        interrupt_after(STEPS)
        train(network(), data, run, recipe, settings, quiet())
        folder.mkdir(parents=True)
        for name in READ:
            shutil.copy(run / name, folder)
        interrupted = predictions(run)
        resume(run, data, console=quiet())
        resumed = predictions(run)
    np.savez_compressed(folder / "expected.npz", interrupted=interrupted, resumed=resumed)


def network() -> keras.Model:
    """Return a small network with weights of each kind: parameters, statistics, random seeds."""
    inputs = x = keras.Input((8, 8, 1))
    conv = {"strides": 2, "activation": "relu", "use_bias": False}
    x = keras.layers.Conv2D(4, 3, name="conv1_conv", **conv)(x)
    x = keras.layers.BatchNormalization(name="conv1_bn")(x)
    x = keras.layers.Dropout(0.2, name="conv1_dropout")(x)
    x = keras.layers.Flatten(name="head_flatten")(x)
    x = keras.layers.Dense(10, activation="softmax", name="head_dense")(x)
    return keras.Model(inputs, x, name="kept")


def predictions(run: Path) -> np.ndarray:
    """Return what the model in a run predicts for the first test images of the run."""
    found = open_run(run)
    return evaluate(found.model, found.load_data().test, found.preprocessing).probabilities[:40]


def interrupt_after(steps: int) -> None:
    """Let this process receive SIGTERM once, after some steps of a run."""
    left = [steps]
    taken = StepCallback.on_train_batch_end

    def interrupting(self: Any, batch: int, logs: dict[str, Any] | None = None) -> None:
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGTERM)
        taken(self, batch, logs)

    StepCallback.on_train_batch_end = interrupting


def quiet() -> Console:
    """Return a console that nobody sees."""
    return Console(file=io.StringIO())


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
