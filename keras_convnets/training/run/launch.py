"""From a request to a run: set up devices, seed, data and model, then train."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from keras_convnets import memory
from keras_convnets.analysis.cost.parameters import parameters_of
from keras_convnets.keras_private import without_values
from keras_convnets.printable import print_line
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data, load_data
from keras_convnets.training.distribute.strategies import (
    choose_strategy,
    is_chief,
    scope_of,
    silent,
)
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.begun import check_same_request, recorded
from keras_convnets.training.run.configuration import check_run
from keras_convnets.training.run.effect import check_effect, check_same_model
from keras_convnets.training.run.enough_memory import REMEDY, can_be_too_large, check_memory
from keras_convnets.training.run.plan import Plan, plan
from keras_convnets.training.run.pretrained import open_pretrained
from keras_convnets.training.run.request import ResumeRequest, RunRequest
from keras_convnets.training.run.run import Outcome, begin, go_on, open_start, taken
from keras_convnets.training.run.run_data import load_run_data
from keras_convnets.training.transfer.fine_tuning import freeze_until
from keras_convnets.training.words import shape
from keras_convnets.typed import explaining

# A function of a network's name, (channels, rows, cols) and the number of outputs.
Build = Callable[[str, tuple[int, int, int], int], keras.Model]

_MOST_SKIPPED = 10  # skipped files that are listed by name


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
    if not isinstance(request, ResumeRequest) and request.resumed():
        check_same_request(request)
        if run_folder.is_finished(request.folder):
            return _finished(request.folder, console or Console(highlight=False))
    strategy = _connected(request, tell)
    console = console or Console(highlight=False, quiet=not is_chief(strategy))
    if isinstance(request, ResumeRequest):
        return _go_on(request, strategy, console)
    if resumed := request.resumed():
        return _go_on(resumed, strategy, console, request)
    make_repeatable(request.settings)
    data, model = _data_and_model(request, build, strategy)
    data = check_run(model, data, request.recipe)
    check_effect(model, request.recipe, request.settings)
    _introduce(console, model, data)
    kept = dataclasses.replace(recorded(request), precision=_precision(request))
    return begin(model, data, request.folder, request.recipe, request.settings, console, kept)


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
    data, model = _data_and_model(request, build, None)
    check_effect(model, request.recipe, request.settings)
    return plan(model, data, request.recipe, request.settings)


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
    request: ResumeRequest, strategy: Any, console: Console, asked: RunRequest | None = None
) -> Outcome:
    out, config = request.out, config_file.read(request.out)
    make_repeatable(config.settings)
    if request.network not in (None, config.model.name):
        raise ValueError(
            f"model: received {request.network!r} to go on with {str(out)!r}, which trains "
            f"{config.model.name!r}. Leave --model out, or start a new run."
        )
    remedy = "Go on with keras_convnets.training.resume and the same data."
    with taken(out, strategy) as lock:
        with _reading():
            data = load_run_data(out, config, data_dir=request.data_dir, remedy=remedy)
        with scope_of(strategy):
            model = open_start(out, config)
        if asked is not None and config.request is None:  # begun in Python, or by an old version
            check_same_model(asked, model)
        _introduce(console, model, data)
        return go_on(out, config, model, data, console, lock)


def _data_and_model(request: RunRequest, build: Build, strategy: Any) -> tuple[Data, keras.Model]:
    wanted = request.data
    arguments = {**vars(wanted), "seed": request.settings.seed}
    with scope_of(strategy):
        start = open_pretrained(request.fine_tune) if request.fine_tune else None
    if start is not None:
        arguments |= start.data_arguments(wanted.image_size)
    with _reading():
        data = load_data(**arguments)
    with scope_of(strategy):
        if start is None:
            _check_outline(request, build, data)
            model = _built(request, build, data)
        else:
            model = start.for_classes(data.class_names)
    if request.freeze_until is not None and not freeze_until(model, request.freeze_until).layers:
        raise ValueError(
            f"freeze_until: received {request.freeze_until!r}, before which {model.name} has no "
            "layers with weights; expected a later stage. Leave it out to train all."
        )
    return data, model


def _check_outline(request: RunRequest, build: Build, data: Data) -> None:
    """Refuse a network that cannot fit into memory before its weights are made."""
    if not can_be_too_large(data.image_shape):
        return
    drawn = random.getstate()  # Keras draws the seeds of a network's weights from it
    with without_values():
        outline = _built(request, build, data)
    random.setstate(drawn)
    check_memory(outline, data, request.recipe, is_outline=True)


def _built(request: RunRequest, build: Build, data: Data) -> keras.Model:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_precision(request))
    what = f"{request.network_name} for images of {shape(data.image_shape)}"
    try:
        with memory.explained(what, REMEDY):
            return build(request.network_name, data.image_shape, len(data.class_names))
    finally:
        keras.config.set_dtype_policy(before)


def _precision(request: RunRequest) -> str | None:
    """Return the dtype policy to build with; ``None`` for a model that is built already."""
    return None if request.fine_tune else request.precision or keras.config.dtype_policy().name


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Show on a terminal that images are being read, which takes a while if there are many."""
    console = Console(stderr=True)
    shown = console.is_terminal and console.status("reading the images", spinner="line")
    with memory.explained("reading the images", REMEDY), shown or contextlib.nullcontext():
        yield


def _introduce(console: Console, model: keras.Model, data: Data) -> None:
    sets = f"{len(data.train):,} training and {len(data.test):,} test images"
    lines = [
        f"{model.name}: {parameters_of(model)[0]:,} parameters",
        f"{data.name}: {sets} of {shape(data.image_shape)}",
    ]
    if data.skipped:
        lines.append(f"left out: {len(data.skipped):,} files")
        lines += [f"  {line}" for line in data.skipped[:_MOST_SKIPPED]]
    for line in lines:
        print_line(console, line)
