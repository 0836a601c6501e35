"""A training run: from a model and data to a folder of results."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from keras_convnets import checks
from keras_convnets.analysis.plot.plot import plot_model
from keras_convnets.errors import RunStopped
from keras_convnets.files import shown
from keras_convnets.printable import print_line
from keras_convnets.training import run_folder, run_lock
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.overlap import overlap
from keras_convnets.training.distribute import strategies
from keras_convnets.training.distribute.multi_worker import check_alike
from keras_convnets.training.recipe.compiling import has_penalties
from keras_convnets.training.recipe.optimizers import decay_of
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.configuration import check_run, check_same, configuration
from keras_convnets.training.run.effect import check_effect
from keras_convnets.training.run.enough_memory import check_memory
from keras_convnets.training.run.loop import Loop
from keras_convnets.training.run.opened import open_start
from keras_convnets.training.run.outcome import Outcome, finish
from keras_convnets.training.run.own_callbacks import checked
from keras_convnets.training.run.run_config import RequestFacts, RunConfig, WeightsFacts
from keras_convnets.training.run_lock import RunLock
from keras_convnets.typed import explaining


@explaining
def train(
    model: keras.Model,
    data: Data,
    out: str | os.PathLike[str],
    recipe: Recipe | None = None,
    settings: Settings | None = None,
    console: Console | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
) -> Outcome:
    """Train a classifier and write the results to a folder.

    The folder contains the model, a checkpoint, the history, curves, the graph, logs for
    TensorBoard and a report. Ctrl-C and SIGTERM end the run early, after the current step and with
    a checkpoint. On several machines, each calls this with the same arguments; only the chief
    writes.

    Args:
        model: a functional model that takes the images and returns a probability or a logit for
            each class. For a reproducible run, call `make_repeatable` before you build it; for
            several devices, build it in the scope of a ``tf.distribute`` strategy.
        data: the data to train and test on, from `load_data` or `Data.from_arrays`.
        out: the folder to create.
        recipe: the training recipe; by default ``RECIPES["quick"]``.
        settings: how the run is carried out; by default ``Settings()``.
        console: where progress is shown; by default standard output.
        callbacks: Keras callbacks of your own, as for one ``fit`` over all epochs. Their state is
            not part of the checkpoint.

    Raises:
        ValueError: the model does not fit the data, the folder exists or cannot be created, or a
            callback cannot work within a run.
        RunStopped: the run cannot continue: a loss that is not finite, a full disk, an
            unreadable image or a lost machine. The last checkpoint is intact.
    """
    recipe = RECIPES["quick"] if recipe is None else recipe
    settings = Settings() if settings is None else settings
    checks.instance("settings", settings, Settings, "Pass Settings(...), or leave it out.")
    out = checks.path("out", out)
    data = check_run(model, data, recipe)
    check_effect(model, recipe, settings)
    own = checked(callbacks, averages=bool(recipe.ema_momentum))
    return begin(model, data, out, recipe, settings, console or Console(), callbacks=own)


def begin(
    model: keras.Model,
    data: Data,
    out: Path,
    recipe: Recipe,
    settings: Settings,
    console: Console,
    request: RequestFacts | None = None,
    weights: WeightsFacts | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    started: float | None = None,
) -> Outcome:
    """Train a classifier on data that `check_run` has accepted; see `train` and `Loop`."""
    is_chief = strategies.is_chief(model.distribute_strategy)
    if is_chief:
        run_folder.check_free(out)
    check_memory(model, data, recipe)
    _announce(model, data, recipe, settings, console)
    if request is None:  # `launch` has said it
        for line in data.words:
            print_line(console, line)
    config = configuration(model, data, recipe, settings, request, weights)
    loop = Loop(model, data, recipe, settings, console, config.id, callbacks, started)
    _check_alike(loop, config)
    above = run_folder.missing_above(out)
    with contextlib.ExitStack() as held:
        if is_chief:
            with run_folder.creating(out) as loop.lock:
                held.callback(loop.lock.release)
                config = _write_start(loop, config, loop.lock.folder)
        else:
            loop.save(loop.position)
        _say_if_unlocked(loop.lock, console)
        try:
            return finish(loop, out, config)
        except Exception as error:
            is_lost = isinstance(error, RunStopped)  # which the run survives
            if is_chief and not is_lost and not loop.has_begun:  # there is nothing to resume
                run_folder.remove(out, above)
            raise


def _announce(
    model: keras.Model, data: Data, recipe: Recipe, settings: Settings, console: Console
) -> None:
    """Say what of the model the run replaces, and what its test images cannot tell."""
    if (factor := decay_of(recipe)) is not None and has_penalties(model):
        decay = f"the recipe's weight decay of {factor:g}"
        print_line(console, f"{decay} replaces the L2 penalty of {model.name}")
    if getattr(model, "compiled", False):
        loss = "the loss, optimizer and metrics of the run"
        print_line(console, f"{loss} replace those that {model.name} was compiled with")
    if data.validation is data.test and (settings.keep_best or recipe.patience is not None):
        what = "the end of the run" if recipe.patience is not None else "the best epoch"
        print_line(
            console,
            f"{what} is chosen by the test images, whose accuracy then says less of others: keep "
            "some training images for it by --validation-split (validation_split)",
        )
    if line := overlap(data):
        print_line(console, line)


def _write_start(loop: Loop, config: RunConfig, folder: Path) -> RunConfig:
    """Write what a run can be resumed from before its first step; return what was written of it."""
    plot_model(loop.model, folder / run_folder.PICTURE)
    run_folder.write_model(folder, loop.model, run_folder.START)
    start = run_folder.digest(folder / run_folder.START)
    config = dataclasses.replace(config, start=start)
    config_file.write(folder, config)
    loop.save(loop.position)
    return config


@explaining
def resume(
    out: str | os.PathLike[str],
    data: Data,
    model: keras.Model | None = None,
    console: Console | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
) -> Outcome:
    """Resume a run from its last checkpoint; it ends as if it had never stopped.

    Args:
        out: the folder of the run.
        data: the same data that it was started with.
        model: the same model; by default it is read from the folder.
        console: where progress is shown; by default standard output.
        callbacks: Keras callbacks of your own, as in `train`: they begin with this call.

    Raises:
        ValueError: the folder is not that of a run, or the run has a different model or data.
        RunStopped: as in `train`.
    """
    out = checks.path("out", out)
    config = config_file.read(out)
    own = checked(callbacks, averages=bool(config.recipe.ema_momentum))
    strategy = tf.distribute.get_strategy() if model is None else model.distribute_strategy
    with taken(out, strategy) as lock:
        model = open_start(out, config) if model is None else model
        return go_on(out, config, model, data, console or Console(), lock, own)


@contextlib.contextmanager
def taken(out: Path, strategy: Any) -> Iterator[RunLock | None]:
    """Hold the folder of a begun run, so that no other process trains it; yield the chief's lock.

    Raises:
        ValueError: another process trains the run, or the folder cannot be written to.
    """
    with run_lock.holding(out, strategies.is_chief(strategy)) as lock:
        if lock is not None:
            run_folder.check_files(out)
            run_folder.sweep(out)
            run_folder.sweep_beside(out)
        yield lock


def go_on(
    out: Path,
    config: RunConfig,
    model: keras.Model,
    data: Data,
    console: Console,
    lock: RunLock | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    started: float | None = None,
) -> Outcome:
    """Resume a run that this process has `taken`; see `resume`."""
    data = check_run(model, data, config.recipe, is_begun=True)
    check_same(config, model, data, out)
    how = config.recipe, config.settings, console, config.id, callbacks, started
    loop = Loop(model, data, *how)
    loop.restore(out / run_folder.CHECKPOINT)
    loop.lock = lock
    _check_alike(loop, config)
    _say_if_unlocked(lock, console)
    return finish(loop, out, config)


def _check_alike(loop: Loop, config: RunConfig) -> None:
    """Refuse to start unless all machines start the same run from the same step."""
    facts: dict[str, Any] = {
        "model": config.model,
        "recipe": config.recipe,
        "settings": config.settings,
        "preprocessing": config.preprocessing,
        "data": dataclasses.replace(config.data, arguments=None),
    }
    start = (loop.position.epoch, loop.position.step, loop.is_resumed)
    check_alike(loop.strategy, **facts, checkpoint=start)


def _say_if_unlocked(lock: RunLock | None, console: Console) -> None:
    """Say that others are not kept out, where a file system has no locks."""
    if lock is not None and not lock.is_exclusive:
        where = shown(lock.folder)
        print_line(console, f"{where}: no locks on this disk, so train the run in one process only")
