"""The optimizers of Keras by name; their arguments are checked before the first step of a run."""

from __future__ import annotations

import inspect
import math
from typing import Any

import keras
import numpy as np

from keras_convnets import checks, received
from keras_convnets.received import shown
from keras_convnets.training.recipe.recipe import Recipe

Optimizer = keras.optimizers.Optimizer

# Arguments of Keras that a recipe has under another name, or that are no part of one.
_OWNED = {
    "learning_rate": "Give learning_rate",
    "weight_decay": "Give weight_decay",
    "adam_weight_decay": "Give weight_decay, which is that of all kernels",
    "clipnorm": "Give clipnorm",
    "clipvalue": "Give clipvalue",
    "global_clipnorm": "Give global_clipnorm",
    "use_ema": "Give ema_momentum",
    "ema_momentum": "Give ema_momentum",
    "ema_overwrite_frequency": "Give ema_momentum; the averages never replace what is trained",
    "gradient_accumulation_steps": "Give accumulation_steps",
    "loss_scale_factor": "Give precision 'mixed_float16', which scales the loss by itself",
    "name": "Leave it out",
}
_OF_SGD = {"momentum": "Give momentum", "nesterov": "Give nesterov"}
_UNSUITABLE = {
    "lossscaleoptimizer": "the precision 'mixed_float16' uses it around any other one",
    "multioptimizer": "a recipe has one; stage_decay gives stages rates of their own",
    "schedulefreeadamw": "the weights that it evaluates are not those that it trains, and Keras "
    "keeps the latter",
}
_RATES = ("beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "rho", "momentum")
_SHAPES = ((3, 3, 2, 4), (4, 3), (3,))  # of the weights that arguments are tried on


def kind_of(name: str) -> Any:
    """Return the class of an optimizer of Keras.

    Args:
        name: the name of the class, in any case.

    Raises:
        ValueError: Keras has no such optimizer, or a run cannot use it.

    Examples:
        >>> kind_of("adamw").__name__, kind_of("Lion").__name__
        ('AdamW', 'Lion')
    """
    name = name.lower()
    if name in _UNSUITABLE:
        raise ValueError(
            f"optimizer: received {name!r}, which a run cannot use: {_UNSUITABLE[name]}. Use "
            "another, such as 'adamw'."
        )
    kinds = [one for one in vars(keras.optimizers).values() if isinstance(one, type)]
    found = {kind.__name__.lower(): kind for kind in kinds if _is_usable(kind)}
    return found[checks.choice("optimizer", name, sorted(found))]


def _is_usable(kind: Any) -> bool:
    is_listed = kind.__name__.lower() not in _UNSUITABLE
    return issubclass(kind, Optimizer) and is_listed and "learning_rate" in _parameters(kind)


def _parameters(kind: Any) -> dict[str, Any]:
    """Return the default of each argument of an optimizer by name."""
    found = inspect.signature(kind.__init__).parameters.values()
    return {one.name: one.default for one in found if one.kind is one.POSITIONAL_OR_KEYWORD}


def own_arguments(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments that only the optimizer of a recipe has, each of the right type.

    Raises:
        ValueError: an argument is unknown, belongs to a field of the recipe, or is of the wrong
            type or out of range.
    """
    kind = kind_of(recipe.optimizer)
    defaults = _parameters(kind)
    owned = _OWNED | (_OF_SGD if recipe.optimizer == "sgd" else {})
    known = [name for name in defaults if name not in owned and name != "self"]
    found = {}
    for name, value in recipe.optimizer_arguments.items():
        if name in owned and name in defaults:
            raise ValueError(
                f"optimizer_arguments: received {name}={shown(value)}; expected arguments that no "
                f"field of the recipe is for. {owned[name]}."
            )
        if name not in known:
            listed = f"one of {', '.join(known)}" if known else "none"
            raise ValueError(
                f"optimizer_arguments: received {name}={shown(value)}; expected {listed}, the "
                f"arguments of {kind.__name__}.{checks.did_you_mean(name, known)}"
            )
        found[name] = _of_type(f"optimizer_arguments: {name}", value, defaults[name], name)
    return found


def _of_type(what: str, value: Any, default: Any, name: str) -> Any:
    """Return an argument of the type of its default; what is allowed beside, a trial tells."""
    if isinstance(default, bool):
        return checks.boolean(what, value)
    if name in _RATES:
        return checks.rate(what, value, "a share such as 0.9")
    if isinstance(default, float) and default > 0 and value is not None:
        return checks.non_negative_number(what, value, f"a number such as {default:g}")
    if isinstance(default, int | float) and value is not None:
        number = received.number(value)
        if number is None:
            raise ValueError(
                f"{what}: received {shown(value)}; expected a finite number. Pass one such as "
                f"{default:g}."
            )
        return int(number) if isinstance(default, int) and number.is_integer() else number
    return [value] if isinstance(value, str) else value


def check_optimizer(recipe: Recipe) -> None:
    """Refuse an optimizer that Keras does not have, or arguments that it cannot compute with.

    Two steps are taken with some weights: what Keras refuses, or what makes weights that are not
    finite, would end the run in the same way.

    Raises:
        ValueError: as in `own_arguments`, or such a step fails.
    """
    kind, arguments = kind_of(recipe.optimizer), own_arguments(recipe)
    if not arguments:
        return
    weights = [keras.Variable(np.full(shape, 0.5, "float32"), name="w") for shape in _SHAPES]
    try:
        optimizer = kind(1e-3, name="trial", **arguments)
        for size in (0.0, 1.0, -2.0):
            gradients = [keras.ops.full(shape, size, "float32") for shape in _SHAPES]
            optimizer.apply(gradients, weights)
        reason = None
    except Exception as error:
        reason = received.line(f"{type(error).__name__}: {error}").rstrip(".")
    if reason is None and not all(np.all(np.isfinite(one.numpy())) for one in weights):
        reason = "its first steps make weights that are not finite"
    if reason is not None:
        raise ValueError(
            f"optimizer_arguments: received {shown(recipe.optimizer_arguments)}; expected "
            f"arguments that {kind.__name__} can compute with ({reason}). Pass others, or leave "
            "them out."
        )


def decay_of(recipe: Recipe) -> float | None:
    """Return the weight decay of a recipe, by default the optimizer's own.

    Examples:
        >>> from keras_convnets.training import RECIPES
        >>> decay_of(RECIPES["quick"]), decay_of(RECIPES["quick"].replace(optimizer="adamw"))
        (None, 0.004)
    """
    if recipe.weight_decay is None and recipe.optimizer != "sgd":
        own = _parameters(kind_of(recipe.optimizer)).get("weight_decay")
        return None if own is None else float(own)
    return recipe.weight_decay


def is_decoupled(recipe: Recipe) -> bool:
    """Return whether the optimizer decays weights itself, in place of a penalty in the loss."""
    return recipe.optimizer != "sgd" and decay_of(recipe) is not None


def arguments_of(recipe: Recipe) -> dict[str, Any]:
    """Return all arguments of the optimizer of a recipe but its learning rate."""
    found = own_arguments(recipe) | {"name": kind_of(recipe.optimizer).__name__}
    if recipe.optimizer == "sgd":
        found |= {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
    else:
        decay, defaults = decay_of(recipe), _parameters(kind_of(recipe.optimizer))
        for name in {"weight_decay", "adam_weight_decay"} & set(defaults):
            found[name] = decay if decay or defaults[name] is not None else None
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        if value := getattr(recipe, name):
            found[name] = value
    if recipe.ema_momentum:
        found |= {"use_ema": True, "ema_momentum": recipe.ema_momentum}
    if recipe.accumulation_steps > 1:
        found["gradient_accumulation_steps"] = recipe.accumulation_steps
    return found


def values_per_weight(recipe: Recipe) -> int:
    """Return how many values the optimizer keeps for each value of a weight.

    Examples:
        >>> from keras_convnets.training import RECIPES
        >>> quick = RECIPES["quick"]
        >>> [values_per_weight(quick.replace(optimizer=name)) for name in ("sgd", "adam")]
        [1, 2]
        >>> values_per_weight(quick.replace(optimizer="adam", ema_momentum=0.99))
        3
    """
    weight = keras.Variable(np.zeros(_SHAPES[0], "float32"), name="w")
    optimizer = kind_of(recipe.optimizer)(1e-3, **arguments_of(recipe))
    optimizer.build([weight])
    return sum(math.prod(one.shape) == math.prod(_SHAPES[0]) for one in optimizer.variables)
