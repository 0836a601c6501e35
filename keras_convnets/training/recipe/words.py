"""What a recipe does with the weights, in words for the plan of a run."""

from __future__ import annotations

from keras_convnets.received import shown
from keras_convnets.training.recipe.optimizers import decay_of, is_decoupled, kind_of
from keras_convnets.training.recipe.recipe import Recipe

_CLIPPED = {
    "clipnorm": "the norm of each gradient",
    "clipvalue": "the values of gradients",
    "global_clipnorm": "the norm of all gradients",
}


def optimizer_in_words(recipe: Recipe, total_steps: int) -> str:
    """Return what updates the weights, and how.

    Args:
        recipe: the recipe.
        total_steps: the steps of the whole run.

    Examples:
        >>> from keras_convnets.training import RECIPES
        >>> optimizer_in_words(RECIPES["quick"], 500)
        'SGD, momentum 0.9 (Nesterov), decay as built, label smoothing 0'
        >>> adam = RECIPES["quick"].replace(optimizer="adam", accumulation_steps=4, clipnorm=1)
        >>> optimizer_in_words(adam, 500).partition(", label")[0]
        'Adam, decay as built, the norm of each gradient at most 1, 125 updates of 4 steps'
    """
    arguments = [f"{name} {value}" for name, value in recipe.optimizer_arguments.items()]
    if recipe.optimizer == "sgd":
        nesterov = " (Nesterov)" if recipe.nesterov else ""
        arguments = [f"momentum {recipe.momentum:g}{nesterov}"]
    decay = decay_of(recipe)
    kind = " (decoupled)" if is_decoupled(recipe) and decay else ""
    clipped = [
        f"{what} at most {getattr(recipe, name):g}"
        for name, what in _CLIPPED.items()
        if getattr(recipe, name)
    ]
    said = [
        kind_of(recipe.optimizer).__name__,
        *arguments,
        "decay as built" if decay is None else f"decay {decay:g}{kind}",
        *clipped,
        *_accumulated(recipe.accumulation_steps, total_steps),
        *([f"averages of the weights by {recipe.ema_momentum:g}"] if recipe.ema_momentum else []),
        *(["binary cross-entropy"] if recipe.loss == "binary_crossentropy" else []),
        f"label smoothing {recipe.label_smoothing:g}",
        *(["balanced sampling"] if recipe.sampling else []),
        *([f"class weights {_weights(recipe.class_weights)}"] if recipe.class_weights else []),
    ]
    return ", ".join(said)


def _weights(given: str | dict[str, float]) -> str:
    if isinstance(given, str):
        return given
    return ", ".join(f"{shown(name)} {weight:g}" for name, weight in given.items())


def _accumulated(together: int, total_steps: int) -> list[str]:
    if together == 1:
        return []
    left = total_steps % together
    unused = f" (the last {left:,} make none)" if left else ""
    return [f"{total_steps // together:,} updates of {together:,} steps{unused}"]
