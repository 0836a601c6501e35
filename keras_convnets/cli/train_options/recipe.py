"""The options of ``train`` that choose a recipe and change its values."""

from __future__ import annotations

import argparse
from typing import Any

from keras_convnets.training.recipe.recipes import RECIPES, SCHEDULES


def add_to(group: Any) -> None:
    """Add the options."""
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


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(",") if share)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected shares of the run, such as 0.5,0.75"
        ) from None
