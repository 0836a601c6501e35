"""The options of ``keras-convnets train``; the namespace contains only those that are given."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from keras_convnets.cli.options import add_load
from keras_convnets.training.distribute.cluster import STRATEGIES
from keras_convnets.training.recipe.recipes import RECIPES, SCHEDULES, Recipe, find
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.begun import OPTIONS
from keras_convnets.training.run.request import (
    DataRequest,
    Devices,
    ResumeRequest,
    RunRequest,
)

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
        help="a network's name (default: that of the --weights, else resnet_18)",
    )
    add_load(command)
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the folder to make (default: under runs/)"
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="print the plan, after two timed steps; write nothing",
    )
    _add_data(command.add_argument_group("data"))
    _add_recipe(command.add_argument_group("recipe", "--recipe, and each value of it"))
    _add_fine_tuning(command.add_argument_group("fine-tuning"))
    _add_checkpoints(command.add_argument_group("checkpoints"))
    _add_devices(command.add_argument_group("devices and machines"))
    return command


def request(chosen: argparse.Namespace) -> RunRequest | ResumeRequest:
    """Return the request that the options describe.

    Raises:
        ValueError: a value is out of range, or options contradict each other.
    """
    given = {name: value for name, value in vars(chosen).items() if name not in _NO_OPTIONS}
    devices = Devices(**_fields(Devices, given))
    if "resume" in given:
        _check_resume(given)
        return ResumeRequest(**_fields(ResumeRequest, given, out="resume") | {"devices": devices})
    return RunRequest(
        **_fields(RunRequest, given, **OPTIONS)
        | {
            "data": DataRequest(**_fields(DataRequest, given, **OPTIONS)),
            "recipe": find(given.get("recipe", "quick")).replace(**_fields(Recipe, given)),
            "settings": Settings(**_fields(Settings, given)),
            "devices": devices,
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
        options = [f"--{'continue' if n == 'continues' else n.replace('_', '-')}" for n in others]
        raise ValueError(
            f"resume: received {', '.join(options)} with it; expected none, for a run goes on as "
            "it was begun. Start a new run for other settings."
        )


def _add_data(group: Any) -> None:
    group.add_argument(
        "--data",
        metavar="NAME",
        help="digits, mnist, fashion_mnist, cifar10, cifar100, folder:PATH of class folders, or a "
        "name that tensorflow-datasets knows (default: digits)",
    )
    group.add_argument(
        "--data-dir", type=Path, metavar="FOLDER", help="where the data's files are already"
    )
    group.add_argument(
        "--validation-split",
        type=float,
        metavar="X",
        help="share of the training images (default: 0, the test)",
    )
    group.add_argument("--image-size", type=int, metavar="N", help="rows and columns to resize to")
    group.add_argument(
        "--channels", type=int, choices=(1, 3), help="convert the images to grey (1) or colour (3)"
    )
    group.add_argument("--strict", action="store_true", help="refuse files that are not images")


def _add_recipe(group: Any) -> None:
    group.add_argument("--recipe", metavar="NAME", help=f"{', '.join(RECIPES)} (default: quick)")
    helps = {
        "epochs": "passes over the training images",
        "steps": "steps of the optimizer, in place of epochs",
        "batch_size": "images a step, over all devices and machines",
        "learning_rate": "of the optimizer, after the warm-up",
        "drops": "when the rate drops, as shares of the run, such as 0.5,0.75",
        "drop_factor": "what the rate is multiplied by at each drop",
        "warmup_epochs": "epochs over which the rate rises linearly",
        "warmup_steps": "steps at the rate of the warm-up",
        "warmup_rate": "where the warm-up begins",
        "momentum": "of the optimizer",
        "weight_decay": "of convolutions' kernels, as papers write it: w -= rate * decay * w",
        "label_smoothing": "share of a label that is spread over all classes",
        "images_per_rate": "scale the rate to the batch: it is for so many images",
    }
    whole = {"epochs", "steps", "batch_size", "warmup_epochs", "warmup_steps", "images_per_rate"}
    for name, text in helps.items():
        kind: Any = _shares if name == "drops" else int if name in whole else float
        sign = "X,..." if name == "drops" else "N" if name in whole else "X"
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=sign, help=text)
    group.add_argument("--schedule", choices=SCHEDULES, help="of the learning rate")
    group.add_argument(
        "--nesterov",
        action=argparse.BooleanOptionalAction,
        help="whether the momentum is Nesterov's",
    )
    group.add_argument(
        "--augmentation", metavar="NAME", help="none, shift, crop, crop-flip, resized-crop"
    )


def _add_fine_tuning(group: Any) -> None:
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="start from trained weights: a file of PyTorch's, timm's, Keras' or ONNX's, or a name "
        "that keras-convnets weights lists",
    )
    group.add_argument(
        "--fine-tune", type=Path, metavar="RUN", help="start from a run's model, or a .keras file"
    )
    group.add_argument(
        "--freeze-until", metavar="STAGE", help="freeze all before it, such as conv4"
    )
    group.add_argument(
        "--stage-decay",
        type=float,
        metavar="X",
        help="what the rate is multiplied by for each stage before the last, such as 0.5",
    )


def _add_checkpoints(group: Any) -> None:
    group.add_argument("--resume", type=Path, metavar="RUN", help="resume an unfinished run")
    group.add_argument(
        "--continue",
        dest="continues",
        action="store_true",
        help="resume the run in --out if it was begun, else start it",
    )
    group.add_argument(
        "--checkpoint-steps",
        type=int,
        metavar="N",
        help=f"steps between checkpoints within an epoch (default: {Settings.checkpoint_steps})",
    )
    group.add_argument("--seed", type=int, metavar="N", help="of all that is random (default: 0)")
    group.add_argument(
        "--deterministic", action="store_true", help="let TensorFlow compute deterministically"
    )


def _add_devices(group: Any) -> None:
    group.add_argument("--strategy", choices=STRATEGIES, help="(default: auto)")
    group.add_argument("--workers", metavar="HOST:PORT,...", help="all machines, the chief first")
    group.add_argument("--index", type=int, metavar="N", help="which of them this one is, from 0")
    group.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="a secret that all of them have, by which they recognise each other",
    )
    group.add_argument(
        "--sync-bn", action="store_true", help="batch normalisation over all devices' images"
    )
    group.add_argument(
        "--memory-efficient",
        action="store_true",
        help="train dense blocks in less memory: compute again what is cheap to compute",
    )
    group.add_argument("--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"))
    group.add_argument("--jit", action="store_true", help="compile the step with XLA")
    group.add_argument(
        "--steps-per-execution",
        type=int,
        metavar="N",
        help="steps before TensorFlow returns to Python (default: 1)",
    )


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(",") if share)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected shares of the run, such as 0.5,0.75"
        ) from None
