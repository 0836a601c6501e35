"""The ``train`` command's options as a request; the namespace has only those that are given."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from keras_convnets.cli.options import add_load
from keras_convnets.cli.train_options import checkpoints, data, devices, fine_tuning, recipe
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import find
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.begun import OPTIONS, flag
from keras_convnets.training.run.request import (
    ResumeRequest,
    RunRequest,
)
from keras_convnets.training.run.request_parts import DataRequest, Devices

_NO_OPTIONS = ("command", "arguments")


def add_to(commands: Any) -> Any:
    """Add the subcommand with its options, and return it."""
    command = commands.add_parser(
        "train",
        help="train a network",
        description="Train a network: by default resnet_18 on scikit-learn's handwritten digits, "
        "which need no download.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument(
        "--model",
        metavar="NAME",
        help="a network's name, module:function, or a .keras file to train as it is (default: the "
        "network of the --weights, else resnet_18)",
    )
    add_load(command)
    command.add_argument(
        "--one-output",
        action="store_true",
        help="build the network with one sigmoid for two classes, in place of two outputs",
    )
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the folder to make (default: under runs/)"
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="print the plan, with the time of two steps, and write nothing",
    )
    data.add_to(command.add_argument_group("data"))
    recipe.add_to(
        command.add_argument_group(
            "recipe", "the training procedure, and each of its values (default: the recipe's)"
        )
    )
    fine_tuning.add_to(command.add_argument_group("fine-tuning"))
    checkpoints.add_to(command.add_argument_group("checkpoints"))
    devices.add_to(command.add_argument_group("devices and machines"))
    return command


def request(chosen: argparse.Namespace) -> RunRequest | ResumeRequest:
    """Return the request that the options describe.

    Raises:
        ValueError: a value is out of range, or options contradict each other.
    """
    given = {name: value for name, value in vars(chosen).items() if name not in _NO_OPTIONS}
    where = Devices(**_fields(Devices, given))
    if "resume" in given:
        _check_resume(given)
        return ResumeRequest(**_fields(ResumeRequest, given, out="resume") | {"devices": where})
    if "seeds" in given and "seed" in given:
        raise ValueError("seeds: received --seed with it; expected one of the two. Leave one out.")
    return RunRequest(
        **_fields(RunRequest, given, **OPTIONS)
        | {
            "data": DataRequest(**_fields(DataRequest, given, **OPTIONS)),
            "recipe": find(given.get("recipe", "quick")).replace(**_fields(Recipe, given)),
            "settings": Settings(**_fields(Settings, given)),
            "devices": where,
            "given": frozenset(given),
        }
    )


def _fields(kind: type, given: dict[str, Any], **options: str) -> dict[str, Any]:
    """Return the options that are fields of a dataclass; some have other names than their field."""
    names = {field.name: options.get(field.name, field.name) for field in dataclasses.fields(kind)}
    return {name: given[option] for name, option in names.items() if option in given}


def _check_resume(given: dict[str, Any]) -> None:
    """Refuse options that are not about where and how to resume a run."""
    names = [field.name for kind in (ResumeRequest, Devices) for field in dataclasses.fields(kind)]
    known = {"resume", "load", *(OPTIONS.get(name, name) for name in names)} - {"out"}
    if others := [name for name in given if name not in known]:
        options = map(flag, others)
        raise ValueError(
            f"resume: received {', '.join(options)} with it; expected none, for a run goes on as "
            "it was begun. Start a new run for other settings."
        )
