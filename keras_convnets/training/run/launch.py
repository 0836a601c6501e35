"""From a request to a run: set up devices, seed, data and model, then train."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from keras_convnets.analysis.cost.parameters import parameters_of
from keras_convnets.printable import print_line
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data, images_in_words
from keras_convnets.training.distribute.strategies import (
    choose_strategy,
    is_chief,
    scope_of,
    silent,
)
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.begun import check_same_request, is_network_of, recorded
from keras_convnets.training.run.configuration import check_run
from keras_convnets.training.run.effect import check_effect, check_same_model
from keras_convnets.training.run.opened import open_start
from keras_convnets.training.run.outcome import Outcome
from keras_convnets.training.run.plan import Plan, plan
from keras_convnets.training.run.request import ResumeRequest, RunRequest
from keras_convnets.training.run.run import begin, go_on, taken
from keras_convnets.training.run.run_data import load_run_data
from keras_convnets.training.run.start import Build, make_start, reading
from keras_convnets.training.words import class_list, left_out
from keras_convnets.typed import explaining


@explaining
def launch(
    request: RunRequest | ResumeRequest,
    build: Build,
    console: Console | None = None,
    tell: Callable[[str], None] = silent,
) -> Outcome:
    """Start or resume a run, as ``keras-convnets train`` does.

    Call it first, before TensorFlow computes anything, because it sets the seed and the strategy.
    On several machines, each calls it with its own index.

    Args:
        request: the run to start or to resume.
        build: a function that builds a network: `keras_convnets.create_model`, or your own function
            of a name, ``(channels, rows, cols)`` and the number of outputs.
        console: where progress is shown; by default the chief's standard output.
        tell: called with a line about the machines it is waiting for.

    Raises:
        ValueError: as in `train`, `resume` and `load_data`.
        RunStopped: as in `train`.

    Examples:
        >>> from pathlib import Path
        >>> from rich.console import Console
        >>> from keras_convnets import create_model
        >>> from keras_convnets.training import RECIPES, RunRequest, launch
        >>> short = RECIPES["quick"].replace(epochs=1, batch_size=128)
        >>> request = RunRequest("lenet_5", recipe=short, out=Path("run"))
        >>> launch(request, create_model, Console(quiet=True)).epochs
        1
    """
    started = time.monotonic()
    if not isinstance(request, ResumeRequest) and request.resumed():
        check_same_request(request)
        if run_folder.is_finished(request.folder):
            return _finished(request.folder, console or Console(highlight=False))
    strategy = _connected(request, tell)
    console = console or Console(highlight=False, quiet=not is_chief(strategy))
    if isinstance(request, ResumeRequest):
        return _go_on(request, strategy, console, started)
    if resumed := request.resumed():
        return _go_on(resumed, strategy, console, started, request)
    make_repeatable(request.settings)
    start = make_start(request, build, strategy)
    model = start.model
    data = check_run(model, start.data, request.recipe)
    check_effect(model, request.recipe, request.settings)
    _introduce(console, model, data, start.words)
    asked = recorded(request)
    kept = dataclasses.replace(asked, network=start.network, precision=start.precision)
    recipe, settings = request.recipe, request.settings
    what = model, data, request.folder, recipe, settings, console
    return begin(*what, request=kept, weights=start.weights, started=started)


def _finished(out: Path, console: Console) -> Outcome:
    """Say that a run is finished; nothing is computed."""
    print_line(console, f"the run in {str(out)!r} is finished")
    outcome = config_file.read(out).outcome
    if outcome is None:  # a run of an earlier version
        return Outcome(out, run_folder.epochs(out), None, False)
    return Outcome(out, outcome.epochs, outcome.test_accuracy, False)


@explaining
def plan_run(request: RunRequest, build: Build) -> Plan:
    """Return the plan of a run, from a few timed steps on one device; nothing is written.

    Args:
        request: as in `launch`.
        build: as in `launch`.

    Raises:
        ValueError: as in `launch`.
    """
    make_repeatable(request.settings)
    start = make_start(request, build, None)
    check_effect(start.model, request.recipe, request.settings)
    made = plan(start.model, start.data, request.recipe, request.settings)
    return dataclasses.replace(made, weights=start.words)


@explaining
def make_repeatable(settings: Settings) -> None:
    """Seed all random numbers, and make TensorFlow deterministic if the settings say so.

    For a reproducible run, call it before you build the model.

    Args:
        settings: the settings of the run, which include the seed.
    """
    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()


def _connected(request: RunRequest | ResumeRequest, tell: Callable[[str], None]) -> Any:
    """Return the strategy; call this before anything else runs on the devices."""
    devices = request.devices
    cluster = devices.cluster()
    if cluster is not None:
        request.check_machines(len(cluster.addresses))
    strategy = choose_strategy(
        devices.strategy, devices.workers, devices.index, tell=tell, secret_file=devices.secret_file
    )
    if cluster is not None and not cluster.is_chief:
        tell(f"connected with {cluster.label(0)}, which shows the progress and writes all files")
    return strategy


def _go_on(
    request: ResumeRequest,
    strategy: Any,
    console: Console,
    started: float,
    asked: RunRequest | None = None,
) -> Outcome:
    out, config = request.out, config_file.read(request.out)
    if request.time_limit is not None:
        limited = dataclasses.replace(config.settings, time_limit=request.time_limit)
        config = dataclasses.replace(config, settings=limited)
    make_repeatable(config.settings)
    if request.network is not None and not is_network_of(config, request.network):
        raise ValueError(
            f"model: received {request.network!r} to go on with {str(out)!r}, which trains "
            f"{config.model.name!r}. Leave --model out, or start a new run."
        )
    remedy = "Go on with keras_convnets.training.resume and the same data."
    with taken(out, strategy) as lock:
        with reading():
            data = load_run_data(out, config, data_dir=request.data_dir, remedy=remedy)
        with scope_of(strategy):
            model = open_start(out, config)
        if asked is not None and config.request is None:  # begun in Python, or by an old version
            check_same_model(asked, model)
        _introduce(console, model, data)
        return go_on(out, config, model, data, console, lock, started=started)


def _introduce(console: Console, model: keras.Model, data: Data, words: Iterable[str] = ()) -> None:
    lines = [
        f"{model.name}: {parameters_of(model)[0]:,} parameters",
        *words,
        f"{data.name}: {images_in_words(data)}",
        f"{len(data.class_names):,} classes: {class_list(data.class_names)}",
        *data.words,
    ]
    if data.skipped:
        count, *named = left_out(data.skipped)
        lines += [f"left out: {count}", *named]
    for line in lines:
        print_line(console, line)
