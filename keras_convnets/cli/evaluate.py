"""The commands that use trained models: ``evaluate`` and ``predict``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_convnets import checks
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import BAD_INPUT, DONE
from keras_convnets.cli.classifiers import add_preprocessing, add_weights, check_one, opened
from keras_convnets.cli.options import add_format, add_load, console_width, print_found, print_json
from keras_convnets.cli.streams import say
from keras_convnets.training import run_folder

_SPLITS = ("test", "validation", "train")
_BATCH_SIZE = 256


def add_to(commands: Any) -> None:
    """Add the subcommands."""
    _add_evaluate(commands)
    _add_predict(commands)


def _add_evaluate(commands: Any) -> None:
    command = commands.add_parser(
        "evaluate",
        help="print how good a model is",
        description="Print the metrics of a run's model, a saved model or trained weights, and of "
        "each class, on the images that a run was tested on or on others.",
        allow_abbrev=False,
    )
    command.add_argument(
        "run", type=Path, nargs="?", help="the folder of a finished run, or a .keras file"
    )
    add_weights(command)
    add_preprocessing(command)
    command.add_argument(
        "--data", metavar="NAME", help="other data of the same classes (default: the run's own)"
    )
    command.add_argument(
        "--data-dir", type=Path, metavar="FOLDER", help="where the data's files are"
    )
    command.add_argument(
        "--split",
        choices=_SPLITS,
        help="default: test; of other data than the run's that have no test images, all",
    )
    command.add_argument(
        "--batch-size",
        type=int,
        default=_BATCH_SIZE,
        metavar="N",
        help=f"images that the model takes at once (default: {_BATCH_SIZE})",
    )
    add_format(command)
    add_load(command)
    command.set_defaults(command=_evaluate)


def _add_predict(commands: Any) -> None:
    command = commands.add_parser(
        "predict",
        help="say what is in images",
        description="Print the most probable classes of images, which are prepared as those that "
        "the model was trained on.",
        usage="%(prog)s RUN IMAGE... [options], or %(prog)s --weights FILE IMAGE... [options]",
        allow_abbrev=False,
    )
    command.add_argument(
        "paths",
        nargs="*",
        metavar="path",
        help="the folder of a finished run or a .keras file (but not with --weights), then images "
        "and folders of images",
    )
    command.rest = "paths"
    add_weights(command)
    add_preprocessing(command)
    command.add_argument(
        "--top", type=int, default=5, metavar="N", help="classes to name (default: 5)"
    )
    command.add_argument(
        "--format", choices=("table", "json"), default="table", help="of the output"
    )
    add_load(command)
    command.set_defaults(command=_predict)


def _evaluate(chosen: argparse.Namespace) -> int:
    checks.positive_integer("batch_size", chosen.batch_size, "images that fit into the memory")
    check_one("evaluate", chosen.run, chosen)
    startup.start_engine(chosen.load, reads_images=True)
    from keras_convnets.inference.by_class import by_class
    from keras_convnets.inference.evaluate import evaluate
    from keras_convnets.inference.numbers import numbers

    run = opened(chosen.run, chosen)
    on = _images(run, chosen)
    found = evaluate(run.model, on.images, on.preprocessing, chosen.batch_size)
    _say("note", on.words)
    if chosen.format == "json":
        print_json(numbers(found, run.class_names, run.model.name, on.data, on.split))
    else:
        table = by_class(found, run.class_names, f"{run.model.name} on {on}")
        width = {"width": console_width()} if chosen.format == "table" else {}
        print_found(table, chosen.format, **width)
    return DONE


def _images(run: Any, chosen: argparse.Namespace) -> Any:
    """Return the `LabelledImages` to evaluate on."""
    from keras_convnets.inference.trained import TrainedModel
    from keras_convnets.training.data.loading import load_labelled

    if not isinstance(run, TrainedModel):
        return run.load_images(chosen.data, chosen.data_dir, chosen.split)
    if chosen.data is None:
        raise ValueError("data: received none; expected the name of some. Name it with --data.")
    return load_labelled(
        chosen.data, chosen.data_dir, chosen.split, run.preprocessing, run.class_names
    )


def _predict(chosen: argparse.Namespace) -> int:
    """Print the predictions for all readable images, then what is wrong with the others."""
    checks.positive_integer("top", chosen.top, "the classes to name, such as 5")
    run, images = _paths(chosen)
    startup.start_engine(chosen.load, reads_images=True)
    from keras_convnets.inference.predict import predict

    found = predict(opened(run, chosen), images)
    if chosen.format == "json":
        print_json(found.to_dict(chosen.top))
    elif found.files:
        print(found.table(chosen.top).to_text())
    sys.stdout.flush()  # so that the lines below come last on a terminal
    _say("note", found.doubtful)
    _say("left out", found.skipped)
    _say("error", found.refused)
    return BAD_INPUT if found.refused else DONE


def _paths(chosen: argparse.Namespace) -> tuple[str | None, list[str]]:
    """Return the run to predict with, none beside weights, and the images."""
    paths = list(chosen.paths)
    run = None
    if paths and (chosen.weights is None or run_folder.is_run(Path(paths[0]))):
        run = paths.pop(0)
    check_one("predict", run, chosen)
    if not paths:
        raise ValueError("images: received none; expected the files of some. Name one.")
    return run, paths


def _say(kind: str, lines: Iterable[str]) -> None:
    for line in lines:
        say(f"keras-convnets: {kind}: {line}")
