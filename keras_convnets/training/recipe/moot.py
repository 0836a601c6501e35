"""Values of a recipe that have no effect beside its others, such as drops with a cosine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_convnets.received import shown

Values = dict[str, Any]

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
    "nesterov": (lambda values: values["momentum"] > 0, "a momentum above 0"),
}
_ALTERNATIVES = (("epochs", "steps"), ("warmup_epochs", "warmup_steps"))


def refuse_moot(values: Values, defaults: Values) -> None:
    """Refuse values without an effect, unless they are the defaults."""
    for name, (is_effective, needed) in _EFFECTIVE.items():
        if values[name] != defaults[name] and not is_effective(values):
            raise _moot(name, values[name], needed)


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
    return name != "drop_factor" and not value


def _moot(name: str, value: Any, needed: str) -> ValueError:
    return ValueError(
        f"{name}: received {shown(value)}, which has no effect here; expected it only with "
        f"{needed}. Leave it out, or add what it needs."
    )
