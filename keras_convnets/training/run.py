"""One training run: from a model and data to a folder with all that came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
import signal
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from keras_convnets import axes
from keras_convnets.analysis.plot import plot_model
from keras_convnets.training import run_folder
from keras_convnets.training.curves import plot_curves
from keras_convnets.training.data import Data
from keras_convnets.training.progress import ConsoleProgress
from keras_convnets.training.settings import Settings


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        folder: where its files are.
        epochs: how many epochs were finished.
        test_accuracy: after the last of them, 0 to 1; ``None`` if none was finished.
        interrupted: whether Ctrl-C ended the run.
    """

    folder: Path
    epochs: int
    test_accuracy: float | None
    interrupted: bool


def train(
    model: keras.Model,
    data: Data,
    out: Path,
    settings: Settings | None = None,
    console: Console | None = None,
) -> Outcome:
    """Train a classifier, and leave a folder with the model, its history, curves and picture.

    Ctrl-C ends the run early and still leaves all files, of the model as it is at that moment.

    Args:
        model: a functional model that takes the images and puts out a probability a class. Call
            ``keras.utils.set_random_seed`` before you build it for a run that can be repeated.
        data: what to train and test on.
        out: the folder to make.
        settings: default ``Settings()``.
        console: where progress is shown; by default on the standard output.

    Raises:
        ValueError: the model does not fit the data, or the folder exists or cannot be made.
    """
    settings = settings or Settings()
    _check_fit(model, data)
    run_folder.create(out)
    run_folder.write_config(out, _config(model, data, settings))
    plot_model(model, out / run_folder.PICTURE)
    recorder = _Recorder(out)
    interrupted = False
    try:
        _fit(model, data, settings, recorder, console or Console())
    except KeyboardInterrupt:
        interrupted = True
    with _undisturbed():
        run_folder.write_model(out, model)
        run_folder.write_history(out, recorder.history)
        plot_curves(recorder.history, out / run_folder.CURVES, f"{model.name} on {data.name}")
    accuracies = recorder.history["val_accuracy"]
    return Outcome(out, len(accuracies), accuracies[-1] if accuracies else None, interrupted)


def _fit(
    model: keras.Model, data: Data, settings: Settings, recorder: _Recorder, console: Console
) -> None:
    steps = -(-data.train_images // settings.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate, decay_steps=settings.epochs * steps
    )
    model.compile(
        keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    # A model that is saved before its first step has a whole optimizer too.
    model.optimizer.build(model.trainable_variables)
    with ConsoleProgress(console, steps) as progress:
        model.fit(
            data.train,
            validation_data=data.test,
            epochs=settings.epochs,
            callbacks=[recorder, progress],
            shuffle=False,  # the data shuffles itself
            verbose=0,
        )


class _Recorder(keras.callbacks.Callback):
    """Keeps the history of finished epochs, on disk too, so that an ended run has one."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        self.history: dict[str, list[float]] = {name: [] for name in names}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for name, values in self.history.items():
            values.append(float((logs or {})[name]))
        run_folder.write_history(self._folder, self.history)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no second Ctrl-C keep the files from being written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_fit(model: keras.Model, data: Data) -> None:
    image = axes.in_papers_order(model.input_shape, axes.format_of(model))
    fits = (size in (None, given) for size, given in zip(image, data.image_shape, strict=True))
    if not all(fits):
        raise ValueError(
            f"model: {model.name} takes images of {image}; expected {data.image_shape}, as the "
            f"images of {data.name} are. Build it with input_shape={data.image_shape}."
        )
    if len(model.outputs) != 1:
        raise ValueError(
            f"model: {model.name} has {len(model.outputs)} outputs; expected one. Build it with "
            "include_auxiliary=False, or train all of them by model.compile and model.fit."
        )
    if model.output_shape[-1] != len(data.class_names):
        raise ValueError(
            f"model: {model.name} has {model.output_shape[-1]} outputs; expected "
            f"{len(data.class_names)}, the classes of {data.name}. Build it with "
            f"num_outputs={len(data.class_names)}."
        )


def _config(model: keras.Model, data: Data, settings: Settings) -> dict[str, Any]:
    packages = ("keras_convnets", "keras", "tensorflow", "numpy", "scikit-learn")
    return {
        "model": {
            "name": model.name,
            "input_shape": data.image_shape,
            "num_outputs": len(data.class_names),
            "data_format": axes.format_of(model),
            "parameters": model.count_params(),
        },
        "data": {
            "name": data.name,
            "train_images": data.train_images,
            "test_images": data.test_images,
            "class_names": data.class_names,
            "preprocessing": data.preprocessing,
        },
        "settings": dataclasses.asdict(settings),
        "versions": {"python": platform.python_version()}
        | {package: metadata.version(package) for package in packages},
    }
