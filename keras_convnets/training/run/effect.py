"""What is requested must have an effect on the model: it is checked before the first step."""

from __future__ import annotations

import keras

from keras_convnets.fast.recomputation import check_dense_blocks
from keras_convnets.keras_private import all_layers
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.request import RunRequest
from keras_convnets.training.transfer.fine_tuning import freeze_until, stage_rates


def check_effect(model: keras.Model, recipe: Recipe, settings: Settings) -> None:
    """Refuse a recipe or settings that have no effect on a model.

    Runs that were begun are not checked, for earlier versions have begun them.

    Raises:
        ValueError: batch normalisation is to be synchronised in a model without any, dense blocks
            are to take less memory in a model without any, or the rate is to fall from stage to
            stage in a model of one.
    """
    kind = keras.layers.BatchNormalization
    if settings.sync_bn and not any(isinstance(layer, kind) for layer in all_layers(model)):
        raise ValueError(
            f"sync_bn: received True with {model.name}, which has no batch normalisation; expected "
            "it only with a model that has some. Leave it out."
        )
    if settings.memory_efficient:
        check_dense_blocks(model)
    if recipe.stage_decay != 1 and set(stage_rates(model, recipe.stage_decay)) <= {1}:
        raise ValueError(
            f"stage_decay: received {recipe.stage_decay:g} with {model.name}, which has one stage; "
            "expected it only with a model of several. Leave it out."
        )


def check_same_model(request: RunRequest, model: keras.Model) -> None:
    """Refuse to go on with a model that was begun otherwise than requested.

    This is for runs whose ``config.json`` does not hold the request.

    Raises:
        ValueError: the precision or the frozen layers are others.
    """
    layers = all_layers(model)
    policies = {layer.dtype_policy.name for layer in layers if layer.weights}
    if request.precision is not None and request.precision not in policies:
        kept = ", ".join(sorted(policies))
        raise _another("precision", kept, request.precision, request)
    before = [layer.trainable for layer in layers]
    if request.freeze_until is not None:
        freeze_until(model, request.freeze_until)
        if [layer.trainable for layer in layers] != before:
            frozen = "other layers frozen"
            raise _another("freeze-until", frozen, request.freeze_until, request)


def _another(option: str, kept: str, asked: str, request: RunRequest) -> ValueError:
    return ValueError(
        f"continue: {str(request.folder)!r} was begun with --{option} {kept!r} (received "
        f"{asked!r}). Leave out what differs, or start a new run in another folder."
    )
