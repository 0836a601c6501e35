"""A recipe as the one in ``RECIPES`` that it was made from, and what was changed."""

from __future__ import annotations

from typing import Any

from keras_convnets.training.recipe.recipe import DEFAULTS, Recipe
from keras_convnets.training.recipe.recipes import RECIPES

_LABEL = "source"


def named(recipe: Recipe) -> tuple[str, dict[str, Any]] | None:
    """Return the name of the closest recipe, and the changes that make it this one.

    Returns:
        The name and the changes for `Recipe.replace`, which are also those of the command's
        options; the source may differ. ``None`` if no recipe becomes this one, which may be one
        that an earlier version accepted.

    Examples:
        >>> named(RECIPES["resnet-cifar"].replace(epochs=40))
        ('resnet-cifar', {'epochs': 40})
    """
    found = [
        (base.source != recipe.source, len(changes), name, changes)
        for name, base in RECIPES.items()
        if (changes := _changes(base, recipe)) is not None
    ]
    if not found:
        return None
    _, _, name, changes = min(found, key=lambda each: each[:2])
    return name, changes


def _changes(base: Recipe, recipe: Recipe) -> dict[str, Any] | None:
    """Return the fewest changes; ``None`` if no changes of options make the recipe.

    A value may come about by itself, as ``epochs=None`` does beside steps, and one that both
    recipes have may have to be given, as the rate beside another optimizer.
    """
    differing = _differing(base, recipe)
    unusual = {name: value for name, value in differing.items() if value != DEFAULTS[name]}
    for changes in (_completed(base, differing, recipe), _completed(base, unusual, recipe)):
        if changes is not None:
            for name in list(changes):
                fewer = {other: value for other, value in changes.items() if other != name}
                changes = fewer if _left(base, fewer, recipe) == {} else changes
            return changes
    return None


def _completed(base: Recipe, changes: dict[str, Any], recipe: Recipe) -> dict[str, Any] | None:
    """Return changes with those that they make necessary; ``None`` if that does not help."""
    changes = {name: value for name, value in changes.items() if value is not None}
    changes |= _left(base, changes, recipe) or {}
    return changes if _left(base, changes, recipe) == {} and None not in changes.values() else None


def _left(base: Recipe, changes: dict[str, Any], recipe: Recipe) -> dict[str, Any] | None:
    """Return what is left to change after some changes; ``None`` if they are refused."""
    try:
        return _differing(base.replace(**changes), recipe)
    except ValueError:
        return None


def _differing(base: Recipe, recipe: Recipe) -> dict[str, Any]:
    """Return the values of a recipe that another one has not, by name."""
    values = {name: getattr(recipe, name) for name in DEFAULTS if name != _LABEL}
    return {name: value for name, value in values.items() if value != getattr(base, name)}


def in_words(recipe: Recipe) -> str:
    """Return a recipe in a few words.

    Examples:
        >>> in_words(RECIPES["quick"].replace(epochs=3, drops=(0.5, 0.75), schedule="drops"))
        'quick, epochs=3, schedule=drops, drops=0.5,0.75'
        >>> in_words(Recipe("my own", 32, 0.1, epochs=3))[:20]
        'my own, batch_size=3'
    """
    found = named(recipe)
    is_ours = found is not None and RECIPES[found[0]].source == recipe.source
    if found is not None and is_ours:
        name, changes = found
    else:
        values = {name: getattr(recipe, name) for name in DEFAULTS if name != _LABEL}
        name = recipe.source
        changes = {key: value for key, value in values.items() if value != DEFAULTS[key]}
    return ", ".join([name, *(f"{key}={_said(value)}" for key, value in changes.items())])


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_said, value))
    if isinstance(value, dict):
        return ",".join(f"{name}={_said(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
