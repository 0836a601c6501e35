"""The model that ``evaluate`` and ``predict`` are given: a run, a saved model, or weights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from keras_convnets import files
from keras_convnets.cli.with_weights import network_with
from keras_convnets.own_networks import is_file

_EXPECTED = (
    "the folder of a finished run, a .keras file, or --weights FILE, with --model NAME if the file "
    "does not tell its network"
)


def add_weights(command: Any) -> None:
    """Add ``--model``, ``--weights`` and ``--best``."""
    command.add_argument(
        "--model", metavar="NAME", help="the network of the --weights, if they do not tell it"
    )
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="in place of a run: a file of weights, or a name that keras-convnets weights lists",
    )
    command.add_argument(
        "--best", action="store_true", help="the model of a run's best epoch, not of its last"
    )


def add_preprocessing(command: Any) -> None:
    """Add ``--preprocessing``."""
    command.add_argument(
        "--preprocessing",
        metavar="NAME|RUN",
        help="how images are prepared, where the model does not tell: none (0 to 255), 0-1, -1-1, "
        "imagenet, caffe, or as in a run",
    )


def check_one(command: str, run: Any, chosen: argparse.Namespace) -> None:
    """Refuse a run beside weights, none of both, and a network without weights.

    Raises:
        ValueError: the model to use is not said, or said twice.
    """
    if chosen.weights is None and chosen.model is not None:
        raise ValueError(
            f"model: received --model {chosen.model} without --weights, which would be a network "
            "that was not trained; expected both. Name the file of its weights."
        )
    if run is None and chosen.weights is None:
        raise ValueError(f"{command}: received no model; expected {_EXPECTED}. Name one.")
    if run is not None and chosen.weights is not None:
        raise ValueError(
            f"{command}: received {files.shown(run)} and --weights {chosen.weights}; expected one "
            "of the two. Leave one out."
        )
    if chosen.best and (run is None or is_file(run)):
        given = chosen.weights if run is None else run
        raise ValueError(
            f"best: received --best with {files.shown(given)}, which is one model; expected the "
            "folder of a run, which may have two. Leave --best out."
        )


class Given(NamedTuple):
    """A model that is not a run's, and what the user says of it.

    Attributes:
        model: the model.
        preprocessing: how its images are prepared, if the user says it.
        whose: where it is from, for errors.
        class_names: none: the user does not say them.
    """

    model: Any
    preprocessing: Any
    whose: str
    class_names: None = None


def opened(run: str | Path | None, chosen: argparse.Namespace) -> Any:
    """Return what has the model: a `SavedRun`, or a `TrainedModel`."""
    found = found_for(run, chosen)
    return prepared(found) if isinstance(found, Given) else found


def prepared(found: Given) -> Any:
    """Return the `TrainedModel` of one whose images the model or the user tells how to prepare."""
    from keras_convnets.inference.trained import trained

    return trained(found.model, found.whose, found.preprocessing)


def found_for(run: str | Path | None, chosen: argparse.Namespace) -> Any:
    """Return what has the model: a `SavedRun`, or `Given`, which may not tell about its images."""
    from keras_convnets.saved_models import load_model
    from keras_convnets.training.run.saved_run import open_run
    from keras_convnets.training.run.spoken import spoken

    said = spoken(chosen.preprocessing)
    if run is None:
        model, _ = network_with(chosen.weights, chosen.model, is_told=said is not None)
        return Given(model, said, files.shown(chosen.weights))
    if is_file(run) and Path(run).is_file():
        return Given(load_model(run), said, files.shown(run))
    if said is not None:
        raise ValueError(
            f"preprocessing: received {files.shown(chosen.preprocessing)} with a run, which knows "
            "how its images are prepared; expected none. Leave --preprocessing out."
        )
    return open_run(run, chosen.best)
