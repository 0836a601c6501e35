"""From a recipe to a compiled model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets import checks
from keras_convnets.fast import penalty
from keras_convnets.fast.layers import fast_layers
from keras_convnets.fast.recomputation import memory_efficient
from keras_convnets.keras_private import all_layers
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import steps_per_epoch
from keras_convnets.training.recipe.decaying import without_decay
from keras_convnets.training.recipe.objective import Objective
from keras_convnets.training.recipe.optimizers import (
    arguments_of,
    decay_of,
    is_decoupled,
    kind_of,
)
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.transfer.discriminative import (
    DiscriminativeSGD,
    slow_stages,
    stage_rates,
)
from keras_convnets.typed import explaining


@explaining
def compile_model(model: keras.Model, data: Data, recipe: Recipe, settings: Settings) -> Objective:
    """Compile a classifier according to a recipe, and return its training objective.

    Raises:
        ValueError: the kind of its outputs cannot be determined, or does not suit the labels.
    """
    if (decay := decay_of(recipe)) is not None:
        set_weight_decay(model, 0 if is_decoupled(recipe) else decay)
    fast_layers(model)  # as the same model will be when a run is resumed; also `compile`
    if settings.sync_bn:
        _synchronize_normalizations(model)
    if settings.memory_efficient:
        memory_efficient(model)
    with model.distribute_strategy.scope():
        objective = Objective(
            model, data, recipe.label_smoothing, recipe.loss, recipe.class_weights
        )
        model.compile(
            _optimizer(model, recipe, steps_per_epoch(data, recipe.batch_size)),
            loss=objective.loss,
            metrics=[objective.accuracy],
            steps_per_execution=settings.steps_per_execution,
            jit_compile=settings.jit,
            auto_scale_loss=False,
        )
        # So that a model saved before its first step also contains a complete optimizer.
        model.optimizer.build(model.trainable_variables)
    return objective


@explaining
def set_weight_decay(model: keras.Model, decay: float) -> None:
    """Set the weight decay of all convolution kernels, ``w -= rate * decay * w``.

    It replaces their penalties. Papers and PyTorch state the decay; the factor of Keras' L2 penalty
    is half of it, because the gradient of the penalty is twice its factor times ``w``.

    Examples:
        >>> import keras
        >>> from keras_convnets import create_model
        >>> model = create_model("lenet_5")
        >>> set_weight_decay(model, 1e-2)
        >>> conv = model.layers[1]
        >>> round(float(model.losses[0] / keras.ops.sum(conv.kernel**2)), 6)
        0.005
    """
    decay = checks.non_negative_number("decay", decay, "a decay such as 1e-4, or 0 for none")
    regularizer = keras.regularizers.L2(decay / 2) if decay else None
    for layer, name in _kernels(model):
        setattr(layer, f"{name}_regularizer", regularizer)
        getattr(layer, name).regularizer = regularizer
        penalty.quicken(layer)


def has_penalties(model: keras.Model) -> bool:
    """Return whether kernels have penalties that `set_weight_decay` replaces."""
    return any(getattr(layer, name).regularizer is not None for layer, name in _kernels(model))


def _kernels(model: keras.Model) -> Iterator[tuple[Any, str]]:
    """Yield the layers whose kernels decay, each with the name of its kernel."""
    for layer in all_layers(model):
        for name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
            if getattr(layer, name, None) is not None and not isinstance(layer, keras.layers.Dense):
                yield layer, name


def _synchronize_normalizations(model: keras.Model) -> None:
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _optimizer(model: keras.Model, recipe: Recipe, steps: int) -> Any:
    rates, arguments = recipe.rates(steps), arguments_of(recipe)
    kept = {id(variable) for variable in without_decay(model)}
    decaying = [id(variable) not in kept for variable in model.trainable_variables]
    if recipe.stage_decay != 1 and recipe.optimizer == "sgd":
        factors = stage_rates(model, recipe.stage_decay)
        optimizer = DiscriminativeSGD(rates, rates=factors, **arguments)
    else:
        optimizer = kind_of(recipe.optimizer)(rates, **arguments)
        excluded = model.trainable_variables
        if recipe.stage_decay == 1:
            excluded = [one for one, decays in zip(excluded, decaying, strict=True) if not decays]
        else:
            slow_stages(optimizer, stage_rates(model, recipe.stage_decay), decaying)
        optimizer.exclude_from_weight_decay(var_list=excluded)
    # First of all, for Keras does not track the variables that Nadam makes within another's build.
    optimizer.build(model.trainable_variables)
    half = any(layer.compute_dtype == "float16" for layer in all_layers(model))
    return keras.optimizers.LossScaleOptimizer(optimizer) if half else optimizer
