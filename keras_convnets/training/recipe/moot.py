"""Values of a recipe that have no effect beside its others, such as drops with a cosine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from keras_convnets.received import shown

Values = dict[str, Any]

_OTHERS = "; an argument of others goes into optimizer_arguments"
# Each with what must hold so that it has an effect; a later one may depend on an earlier one.
_EFFECTIVE: dict[str, tuple[Callable[[Values], bool], str]] = {
    "drops": (lambda values: values["schedule"] == "drops", "the schedule 'drops'"),
    "drop_factor": (lambda values: bool(values["drops"]), "drops"),
    "warmup_steps": (
        lambda values: values["schedule"] == "drops" and not values["warmup_epochs"],
        "the schedule 'drops' and no warmup_epochs, which suit any schedule",
    ),
    "warmup_rate": (
        lambda values: bool(values["warmup_steps"] or values["warmup_epochs"]),
        "warmup_epochs or warmup_steps",
    ),
    "momentum": (lambda values: values["optimizer"] == "sgd", f"the optimizer 'sgd'{_OTHERS}"),
    "nesterov": (
        lambda values: values["optimizer"] == "sgd" and values["momentum"] > 0,
        f"a momentum above 0 of the optimizer 'sgd'{_OTHERS}",
    ),
    "final_rate": (lambda values: values["schedule"] == "cosine", "the schedule 'cosine'"),
}
_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
_ALTERNATIVES = (
    ("epochs", "steps"),
    ("warmup_epochs", "warmup_steps"),
    *itertools.combinations(_CLIPPING, 2),
)
_RATES = {"sgd": 0.01}  # Keras' defaults; 0.001 for all other optimizers
# What belongs to an optimizer, and is none of another one's.
_OF_OPTIMIZER = (
    *("images_per_rate", "warmup_rate", "warmup_steps", "momentum", "nesterov", "weight_decay"),
    "optimizer_arguments",
)


def refuse_moot(values: Values, defaults: Values) -> None:
    """Refuse values without an effect, unless they are the defaults."""
    for name, (is_effective, needed) in _EFFECTIVE.items():
        if values[name] != defaults[name] and not is_effective(values):
            raise _moot(name, values[name], needed)
    given = [name for name in _CLIPPING if values[name]]
    if len(given) > 1:
        raise ValueError(
            f"{given[1]}: received {shown(values[given[1]])} with {given[0]}="
            f"{shown(values[given[0]])}; expected one way of clipping. Leave one of them out."
        )
    if values["class_weights"] == values["sampling"] == "balanced":
        raise ValueError(
            "class_weights: received 'balanced' with sampling='balanced', which shows all classes "
            "equally often already; expected one of the two. Leave one of them out."
        )


def without_effect(values: Values) -> set[str]:
    """Return the names of the values that have no effect beside the others.

    Examples:
        >>> from keras_convnets.training import RECIPES
        >>> sorted(without_effect(vars(RECIPES["quick"].replace(optimizer="adam"))))
        ['drop_factor', 'drops', 'momentum', 'nesterov', 'warmup_rate', 'warmup_steps']
    """
    return {name for name, (is_effective, _) in _EFFECTIVE.items() if not is_effective(values)}


def changed(kept: Values, changes: Mapping[str, Any], defaults: Values) -> Values:
    """Return the values of a recipe with changes; what they make moot of the others gives way.

    Args:
        kept: the values of the recipe.
        changes: the values to change; all must have an effect.
        defaults: the default of each value.

    Raises:
        ValueError: a change has no effect.
    """
    values = kept | dict(changes)
    if values["optimizer"] != kept["optimizer"]:
        rate = _RATES.get(values["optimizer"], 0.001)
        values |= {name: defaults[name] for name in _OF_OPTIMIZER} | {"learning_rate": rate}
        values |= changes
    for pair in _ALTERNATIVES:
        for one, other in (pair, pair[::-1]):
            if values[one] != defaults[one] and one in changes and other not in changes:
                values[other] = defaults[other]
    for name, (is_effective, needed) in _EFFECTIVE.items():
        if is_effective(values):
            continue
        if name in changes and not _is_off(name, values[name]):
            raise _moot(name, values[name], needed)
        values[name] = defaults[name]
    return values


def _is_off(name: str, value: Any) -> bool:
    return name not in ("drop_factor", "momentum") and not value


def _moot(name: str, value: Any, needed: str) -> ValueError:
    return ValueError(
        f"{name}: received {shown(value)}, which has no effect here; expected it only with "
        f"{needed}. Leave it out, or add what it needs."
    )
