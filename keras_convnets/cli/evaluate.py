"""The commands for finished runs: ``evaluate`` and ``predict``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_convnets import checks
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import BAD_INPUT, DONE
from keras_convnets.cli.options import add_format, add_load, print_found, print_json
from keras_convnets.cli.streams import say

_SPLITS = ("test", "validation", "train")
_BATCH_SIZE = 256


def add_to(commands: Any) -> None:
    """Add the subcommands."""
    _add_evaluate(commands)
    _add_predict(commands)


def _add_evaluate(commands: Any) -> None:
    command = commands.add_parser(
        "evaluate",
        help="print how good a run's model is",
        description="Print a run's loss, accuracy and top-5 accuracy, and each class's, on the "
        "images that it was tested on or on others.",
        allow_abbrev=False,
    )
    command.add_argument("run", type=Path, help="the folder of a finished run")
    command.add_argument(
        "--data", metavar="NAME", help="other data of the same classes (default: the run's own)"
    )
    command.add_argument("--data-dir", type=Path, help="where the data's files are")
    command.add_argument("--split", choices=_SPLITS, default="test", help="default: test")
    command.add_argument(
        "--batch-size",
        type=int,
        default=_BATCH_SIZE,
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
        "the run was trained on.",
        allow_abbrev=False,
    )
    command.add_argument("run", type=Path, help="the folder of a finished run")
    command.add_argument("images", nargs="+", metavar="image", help="JPEG, PNG, BMP or GIF files")
    command.add_argument("--top", type=int, default=5, help="classes to name (default: 5)")
    command.add_argument(
        "--format", choices=("table", "json"), default="table", help="of the output"
    )
    add_load(command)
    command.set_defaults(command=_predict)


def _evaluate(chosen: argparse.Namespace) -> int:
    checks.positive_integer("batch_size", chosen.batch_size, "images that fit into the memory")
    startup.start_engine(chosen.load, reads_images=True)
    from keras_convnets.images.brightness import first_too_bright
    from keras_convnets.inference.by_class import as_numbers, by_class
    from keras_convnets.inference.evaluate import evaluate
    from keras_convnets.training.run.saved_run import open_run

    run = open_run(chosen.run)
    data = run.load_data(chosen.data, chosen.data_dir)
    images = getattr(data, chosen.split)
    found = evaluate(run.model, images, run.preprocessing, chosen.batch_size)
    _say("note", filter(None, [first_too_bright(images, run.preprocessing)]))
    name = f"{run.model.name} on {data.name} {chosen.split}"
    table = by_class(found, run.class_names, name)
    if chosen.format == "json":
        numbers = {
            "model": run.model.name,
            "data": data.name,
            "split": chosen.split,
            "images": len(images),
            **as_numbers(found),
            "classes": table.to_dict()["rows"],
        }
        print_json(numbers)
    else:
        print_found(table, chosen.format)
    return DONE


def _predict(chosen: argparse.Namespace) -> int:
    """Print the predictions for all readable images, then what is wrong with the others."""
    checks.positive_integer("top", chosen.top, "the classes to name, such as 5")
    startup.start_engine(chosen.load, reads_images=True)
    from keras_convnets.inference.predict import predict
    from keras_convnets.training.run.saved_run import open_run

    found = predict(open_run(chosen.run), chosen.images)
    if chosen.format == "json":
        print_json(found.to_dict(chosen.top))
    elif found.files:
        print(found.table(chosen.top).to_text())
    sys.stdout.flush()  # so that the lines below come last on a terminal
    _say("note", found.doubtful)
    _say("error", found.refused)
    return BAD_INPUT if found.refused else DONE


def _say(kind: str, lines: Iterable[str]) -> None:
    for line in lines:
        say(f"keras-convnets: {kind}: {line}")
