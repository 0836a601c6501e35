"""The data and the model that a run starts with."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from keras_convnets import files, memory
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.keras_private import without_values
from keras_convnets.own_networks import is_file, is_function
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.distribute.strategies import scope_of
from keras_convnets.training.run import config_file
from keras_convnets.training.run.enough_memory import REMEDY, can_be_too_large, check_memory
from keras_convnets.training.run.given_weights import UNKNOWN, open_weights
from keras_convnets.training.run.pretrained import open_pretrained
from keras_convnets.training.run.request import RunRequest
from keras_convnets.training.run.run_config import WeightsFacts
from keras_convnets.training.run.run_data import is_same
from keras_convnets.training.run.spoken import spoken
from keras_convnets.training.transfer.fine_tuning import freeze_until
from keras_convnets.training.transfer.sigmoids import with_sigmoids
from keras_convnets.training.words import shape

# A function of a network's name, (channels, rows, cols) and the number of outputs.
Build = Callable[[str, tuple[int, int, int], int], keras.Model]


@dataclasses.dataclass(frozen=True)
class Start:
    """What a run starts with.

    Attributes:
        data: the data.
        model: the model, with its first weights.
        network: the name that it was built by, or its file; ``None`` for one to fine-tune.
        precision: the dtype policy that it was built with; ``None`` for one that was built already.
        weights: the weights of a file, if it has some.
        words: what was done to them, in lines.
    """

    data: Data
    model: keras.Model
    network: str | None = None
    precision: str | None = None
    weights: WeightsFacts | None = None
    words: tuple[str, ...] = ()


def make_start(request: RunRequest, build: Build, strategy: Any) -> Start:
    """Load the data that a request names, and build or open its model.

    Raises:
        ValueError: as in `launch`.
    """
    if request.fine_tune is not None:
        start = _of_pretrained(request, request.fine_tune, strategy)
    elif request.network is not None and is_file(request.network):
        start = _of_file(request, request.network, strategy)
    elif request.weights is not None:
        start = _of_weights(request, request.weights, build, strategy)
    else:
        data = _loaded(request, preprocessing=spoken(request.preprocessing))
        model = _built(request, build, request.network_name, data, strategy)
        start = Start(data, model, request.network_name, _policy(request))
    until = request.freeze_until
    if until is not None and not freeze_until(start.model, until).layers:
        raise ValueError(
            f"freeze_until: received {until!r}, before which {start.model.name} has no layers with "
            "weights; expected a later stage. Leave it out to train all."
        )
    return start


def _of_pretrained(request: RunRequest, path: Path, strategy: Any) -> Start:
    with scope_of(strategy):
        pretrained = open_pretrained(path)
    said, size = spoken(request.preprocessing), request.data.image_size
    pretrained = pretrained.prepared(said, size, files.shown(path))
    arguments = pretrained.data_arguments(request.data.image_size, request.data.channels)
    split, words = _same_split(request, path)
    data = _loaded(request, **arguments | split)
    with scope_of(strategy):
        return Start(data, pretrained.for_classes(data.class_names), words=words)


def _same_split(request: RunRequest, path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return how the data of a run are split again, so that it was not trained on the test images.

    Returns:
        The arguments of `load_data` for it, none for other data, and what is to be said.
    """
    if not run_folder.is_run(path):
        return {}, ()
    own = config_file.read(path).data.arguments
    if own is None or not is_same(own.name, request.data.name):
        return {}, ()
    words = []
    if own.seed != request.settings.seed:
        words.append(
            f"the test images are those of {files.shown(path)}, split with seed {own.seed}"
        )
    if request.data.validation_split > 0 and request.data.validation_split != own.validation_split:
        words.append(f"{files.shown(path)} was trained on validation images of this run")
    return {"seed": own.seed}, tuple(words)


def _of_file(request: RunRequest, file: str, strategy: Any) -> Start:
    """Open a saved model to train as it is."""
    with scope_of(strategy):
        saved = open_pretrained(Path(file))
    saved = saved.prepared(spoken(request.preprocessing), request.data.image_size)
    arguments = saved.data_arguments(request.data.image_size, request.data.channels)
    data = _loaded(request, **arguments)
    outputs = outputs_of(saved.model)
    if outputs.classes != len(data.class_names):
        raise ValueError(
            f"model: received {files.shown(file)}, which has {outputs.count} outputs; expected "
            f"{len(data.class_names)}, the classes of {data.name}. Start from it by --fine-tune, "
            "which gives it a new head."
        )
    words = (UNKNOWN,) if saved.preprocessing is None else ()
    return Start(data, saved.model, os.path.abspath(file), words=words)


def _of_weights(request: RunRequest, weights: str, build: Build, strategy: Any) -> Start:
    """Build the network of the weights for the classes of the data, and load them."""
    given = open_weights(weights, request.network)
    given, images = given.images(
        request.data.image_size, request.data.channels, spoken(request.preprocessing)
    )
    data = _loaded(request, preprocessing=images)
    model = _built(request, build, given.network, data, strategy)
    with scope_of(strategy):
        model, facts, words = given.into(model, data.class_names)
    return Start(data, model, given.network, _policy(request), facts, words)


def _loaded(request: RunRequest, **others: Any) -> Data:
    with reading():
        return load_data(**vars(request.data) | {"seed": request.settings.seed} | others)


def _built(
    request: RunRequest, build: Build, network: str, data: Data, strategy: Any
) -> keras.Model:
    """Build a network, but none that cannot fit into memory: that is told before it has weights."""

    def built() -> keras.Model:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(_policy(request))
        what = f"{network} for images of {shape(data.image_shape)}"
        try:
            with memory.explained(what, REMEDY):
                model = build(network, data.image_shape, _outputs(request, data))
                return with_sigmoids(model) if _are_independent(request, data) else model
        finally:
            keras.config.set_dtype_policy(before)

    with scope_of(strategy):
        # A function of the user's own may use the values of weights.
        if can_be_too_large(data.image_shape) and not is_function(network):
            drawn = random.getstate()  # Keras draws the seeds of a network's weights from it
            with without_values():
                outline = built()
            random.setstate(drawn)
            check_memory(outline, data, request.recipe, is_outline=True)
        return built()


def _are_independent(request: RunRequest, data: Data) -> bool:
    """Return whether each class has a loss of its own, so that the network needs sigmoids."""
    has_several = data.train.labels.ndim == 2
    return request.one_output or request.recipe.loss is not None or has_several


def _outputs(request: RunRequest, data: Data) -> int:
    """Return the number of outputs of the network to build."""
    classes, several = len(data.class_names), data.train.labels.ndim == 2
    if request.one_output and (classes != 2 or several):
        what = "several labels an image" if several else f"{classes} classes"
        raise ValueError(
            f"one_output: received True with {data.name}, which has {what}; expected two classes. "
            "Leave --one-output out."
        )
    return 1 if request.one_output else classes


def _policy(request: RunRequest) -> str:
    return request.precision or keras.config.dtype_policy().name


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Show on a terminal that images are being read, which takes a while if there are many."""
    console = Console(stderr=True)
    shown = console.is_terminal and console.status("reading the images", spinner="line")
    with memory.explained("reading the images", REMEDY), shown or contextlib.nullcontext():
        yield
