"""The values of a recipe, each checked on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_convnets import checks, received
from keras_convnets.received import shown
from keras_convnets.training.data.augmentation_names import full_name

SCHEDULES = ("drops", "cosine", "constant")
LOSSES = ("binary_crossentropy",)
BALANCED = "balanced"
SAMPLINGS = (BALANCED,)


def normalised(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a recipe, or some of them, as plain Python values."""
    return {
        name: None if value is None and name in _MAY_BE_NONE else _CHECKS[name](name, value)
        for name, value in values.items()
    }


def _positive_integer(name: str, value: Any) -> int:
    return checks.positive_integer(name, value, "a number such as 32")


def _count(name: str, value: Any) -> int:
    return checks.non_negative_integer(name, value, "a number such as 5")


def _positive_number(name: str, value: Any) -> float:
    return checks.positive_number(name, value, "a number such as 0.1")


def _number(name: str, value: Any) -> float:
    return checks.non_negative_number(name, value, "a number such as 0.01, or 0 for none")


_OPTIMIZER = "its name, such as 'adamw', with its arguments as optimizer_arguments"


def _text(name: str, value: Any) -> str:
    return checks.text(name, value, "a name")


def _arguments(name: str, value: Any) -> dict[str, Any]:
    """Return the arguments of an optimizer as what JSON has; which there are, Keras knows."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(
            f"{name}: received {shown(value)}; expected arguments of the optimizer by name. Pass "
            '{"beta_2": 0.95}, for instance.'
        )
    return {key: _argument(f"{name}: {key}", one) for key, one in value.items()}


def _argument(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return list(value)
    for plain in (received.boolean(value), received.integer(value), received.number(value)):
        if plain is not None:
            return plain
    raise ValueError(
        f"{name}: received {shown(value)}; expected a finite number, True, False, None, a string "
        "or a list of strings. Pass one."
    )


def _class_weights(name: str, value: Any) -> str | dict[str, float]:
    """Return the word for weights, or weights by the name of the class."""
    if isinstance(value, str) and value == BALANCED:
        return value
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            f"{name}: received {shown(value)}; expected 'balanced', or a weight for some classes "
            "by name. Pass {'cat': 2}, for instance."
        )
    return {
        checks.text(name, key, "the name of a class"): checks.positive_number(
            name, one, "a weight such as 2"
        )
        for key, one in value.items()
    }


_MAY_BE_NONE = (
    *("epochs", "steps", "weight_decay", "augmentation", "images_per_rate", "loss"),
    *("class_weights", "sampling", "patience"),
)
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "source": _text,
    "batch_size": _positive_integer,
    "learning_rate": _positive_number,
    "epochs": _positive_integer,
    "steps": _positive_integer,
    "schedule": lambda name, value: checks.choice(name, value, SCHEDULES),
    "drops": checks.shares,
    "drop_factor": _positive_number,
    "warmup_epochs": _count,
    "warmup_steps": _count,
    "warmup_rate": _number,
    "momentum": lambda name, value: checks.rate(
        name, value, "the share of the last step to keep, such as 0.9"
    ),
    "nesterov": checks.boolean,
    "weight_decay": _number,
    "label_smoothing": lambda name, value: checks.rate(
        name, value, "the share of a label that all classes have, such as 0.1"
    ),
    "augmentation": lambda _, value: full_name(value),
    "images_per_rate": _positive_integer,
    "stage_decay": checks.share,
    "optimizer": lambda name, value: checks.text(name, value, _OPTIMIZER).lower(),
    "optimizer_arguments": lambda name, value: _arguments(name, value),
    "clipnorm": _number,
    "clipvalue": _number,
    "global_clipnorm": _number,
    "accumulation_steps": _positive_integer,
    "ema_momentum": lambda name, value: checks.rate(
        name, value, "the share of the last average to keep, such as 0.999, or 0 for no average"
    ),
    "loss": lambda name, value: checks.choice(name, value, LOSSES),
    "final_rate": _number,
    "class_weights": lambda name, value: _class_weights(name, value),
    "sampling": lambda name, value: checks.choice(name, value, SAMPLINGS),
    "patience": _positive_integer,
}
