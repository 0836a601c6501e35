"""The options of ``train`` that choose a recipe and change its values."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from keras_convnets.training.data.augmentation import AUGMENTATIONS
from keras_convnets.training.data.augmentation_names import STRENGTHS
from keras_convnets.training.recipe.fields import BALANCED, LOSSES, SAMPLINGS, SCHEDULES
from keras_convnets.training.recipe.recipes import RECIPES


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
        "final_rate": "where a cosine ends (default: 0)",
        "momentum": "of sgd",
        "weight_decay": "as papers write it, w -= rate * decay * w: of convolutions' kernels with "
        "sgd, of all kernels, decoupled, with others",
        "clipnorm": "the largest norm of the gradient of a weight; 0 for any",
        "clipvalue": "the largest value in a gradient; 0 for any",
        "global_clipnorm": "the largest norm of all gradients together; 0 for any",
        "accumulation_steps": "steps whose mean gradient makes one update (default: 1)",
        "ema_momentum": "of a moving average of the weights, such as 0.999, which is validated and "
        "saved; 0 for none",
        "patience": "epochs without a better one, by validation accuracy, after which the run ends",
        "label_smoothing": "share of a label that is spread over all classes",
        "images_per_rate": "scale the rate to the batch: it is for so many images",
    }
    whole = {"epochs", "steps", "batch_size", "warmup_epochs", "warmup_steps", "images_per_rate"}
    whole |= {"accumulation_steps", "patience"}
    for name, text in helps.items():
        kind: Any = _shares if name == "drops" else int if name in whole else float
        sign = "X,..." if name == "drops" else "N" if name in whole else "X"
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=sign, help=text)
    group.add_argument(
        "--optimizer",
        metavar="NAME",
        help="of Keras: sgd, adam, adamw, lion, rmsprop and others (default: sgd)",
    )
    group.add_argument(
        "--optimizer-arguments",
        type=_arguments,
        metavar="NAME=VALUE,...",
        help="its other arguments, such as beta_2=0.95,epsilon=1e-6",
    )
    group.add_argument("--loss", choices=LOSSES, help="each class by itself, by a sigmoid")
    group.add_argument(
        "--class-weights",
        type=_weights,
        metavar="balanced|NAME=X,...",
        help="of classes in the loss: more of rare ones, or as given, such as cat=2,dog=1",
    )
    group.add_argument(
        "--sampling", choices=SAMPLINGS, help="show all classes equally often in each epoch"
    )
    group.add_argument("--schedule", choices=SCHEDULES, help="of the learning rate")
    group.add_argument(
        "--nesterov",
        action=argparse.BooleanOptionalAction,
        help="whether the momentum is Nesterov's",
    )
    add_augmentation(group)


def add_augmentation(group: Any) -> None:
    """Add the option that names an augmentation."""
    group.add_argument(
        "--augmentation",
        metavar="NAME+...",
        help=f"{', '.join(AUGMENTATIONS)}; with or without one, {', '.join(STRENGTHS)}, each with "
        "its strength: crop-flip+mixup:0.2",
    )


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(",") if share)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected shares of the run, such as 0.5,0.75"
        ) from None


def _arguments(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or name.strip() in found:
            raise argparse.ArgumentTypeError(
                f"received {text!r}; expected each argument once, such as beta_2=0.95,epsilon=1e-6"
            )
        found[name.strip()] = _plain(value.strip())
    return found


def _weights(text: str) -> str | dict[str, float]:
    if text == BALANCED:
        return text
    found = {}
    for part in text.split(","):
        name, equals, weight = part.rpartition("=")
        try:
            found[name] = float(weight)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise argparse.ArgumentTypeError(
                f"received {text!r}; expected balanced, or weights such as cat=2,dog=1"
            )
    return found


def _plain(text: str) -> Any:
    """Return a value as Python would read it; what is no number, truth value or None is a text."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
