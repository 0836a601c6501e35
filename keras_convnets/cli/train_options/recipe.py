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
        "learning_rate": "of the optimizer, after the warm-up, such as 0.01",
        "drops": "when the rate drops, as shares of the run, such as 0.5,0.75",
        "drop_factor": "what the rate is multiplied by at each drop, such as 0.1",
        "warmup_epochs": "epochs over which the rate rises linearly",
        "warmup_steps": "steps at the constant rate of the warm-up, in place of epochs",
        "warmup_rate": "the rate at which the warm-up begins",
        "final_rate": "the rate at which a cosine ends",
        "momentum": "of sgd, such as 0.9",
        "weight_decay": "w -= rate * decay * w, such as 0.05: with sgd for the kernels of "
        "convolutions, with other optimizers for all kernels, decoupled from the gradient",
        "clipnorm": "limit of the norm of each variable's gradient, such as 1; 0 for none",
        "clipvalue": "limit of the values of gradients; 0 for none",
        "global_clipnorm": "limit of the norm of all gradients together; 0 for none",
        "accumulation_steps": "steps whose mean gradient makes one update",
        "ema_momentum": "of a moving average of the weights, such as 0.999, which is validated and "
        "saved; 0 for none",
        "patience": "end the run after N epochs in a row without a better validation accuracy",
        "label_smoothing": "share of a label that is spread over all classes, such as 0.1",
        "images_per_rate": "scale the rate to the batch: it is given for N images, such as 256",
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
        help="any of Keras: sgd, adam, adamw, lion, rmsprop and others",
    )
    group.add_argument(
        "--optimizer-arguments",
        type=_arguments,
        metavar="NAME=VALUE,...",
        help="its other arguments, such as beta_2=0.95,epsilon=1e-6",
    )
    group.add_argument(
        "--loss",
        choices=LOSSES,
        help="each class by itself, by a sigmoid, in place of a softmax over all",
    )
    group.add_argument(
        "--class-weights",
        type=_weights,
        metavar="balanced|NAME=X,...",
        help="weights of the classes in the loss: balanced (rare ones count more), or as given, "
        "such as cat=2,dog=0.5; 1 for all others",
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
        help=f"one of {', '.join(AUGMENTATIONS)}, then any of {', '.join(STRENGTHS)}, each with "
        "its strength, as in crop-flip+randaugment:7+mixup:0.2 (default: that of the recipe or of "
        "the data)",
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
