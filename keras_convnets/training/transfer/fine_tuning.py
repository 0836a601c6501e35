"""Fine-tuning a trained model: which layers are frozen and which are trained.

``new_head.py`` replaces the head, ``discriminative.py`` sets learning rates by stage.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import keras

from keras_convnets.graph.stages import Placed, column_of, placed_layers, trainable
from keras_convnets.graph.topology import ancestors
from keras_convnets.graph.walk import walk
from keras_convnets.keras_private import all_layers
from keras_convnets.training.transfer.discriminative import (
    DiscriminativeSGD,
    stage_factors,
    stage_rates,
)
from keras_convnets.training.transfer.new_head import classifiers, new_head
from keras_convnets.typed import explaining

__all__ = [
    "DiscriminativeSGD",
    "Frozen",
    "freeze_until",
    "new_head",
    "stage_factors",
    "stage_rates",
]


@dataclasses.dataclass(frozen=True)
class Frozen:
    """The layers that `freeze_until` has frozen.

    Attributes:
        layers: the names of the frozen layers with weights, in the order of computation.
        parameters: the number of frozen parameters.
        trained_parameters: the number of parameters that are still trained.
    """

    layers: tuple[str, ...]
    parameters: int
    trained_parameters: int

    def __str__(self) -> str:
        """Return a one-line summary."""
        return (
            f"{len(self.layers)} layers of {self.parameters:,} parameters frozen, "
            f"{self.trained_parameters:,} parameters trained"
        )


@explaining
def freeze_until(model: keras.Model, stage: str) -> Frozen:
    """Freeze every layer that a stage depends on; make it and all other layers trainable.

    Frozen batch normalisation layers run in inference mode: they use their moving statistics and
    do not update them. (Dropout stays active, frozen or not.) What the stage does not depend on,
    such as an auxiliary head or a second network beside it, is trained. A layer that is used
    several times is frozen if the stage depends on all its uses; the layers of a nested model, if
    it depends on the first. Call it before ``model.compile``, when Keras determines the trainable
    weights.

    Args:
        model: a functional model; it may contain nested models, whose stages, blocks and layers
            have the names that they have on their own.
        stage: the first stage to train (``conv4``), or the first block (``conv4_block2``) or
            layer, by name. ``head`` is the classifier of any model, and the name of a nested model
            means its first layer. If two nested models have a stage of this name, add the model's:
            ``base/conv4``.

    Raises:
        ValueError: the model has no such stage, block or layer, or several.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import freeze_until
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1))
        >>> frozen = freeze_until(model, "conv3")
        >>> frozen.layers
        ('conv1_conv', 'conv1_bn', 'conv2_block1_conv1', 'conv2_block1_bn1', 'conv2_block1_conv2')
        >>> print(frozen)
        5 layers of 77,312 parameters frozen, 231,690 parameters trained
    """
    placed = placed_layers(model)
    stage, column = _column(model, placed, stage)
    first = {one.name: one.call for one in reversed(placed)}
    begun = {first[one.name] for one, name in zip(placed, column, strict=True) if name == stage}
    before = ancestors(begun) - begun
    uses = ((one.layer, first[one.name] if one.call.model else one.call) for one in placed)
    trained = {layer for layer, call in uses if call not in before}
    for layer in all_layers(model):  # one by one: Keras passes down a change of a model only
        layer.trainable = True
    frozen = {one.layer: one.name for one in placed if one.layer not in trained}
    frozen = {layer: name for layer, name in frozen.items() if trainable(layer)}
    parameters = sum(math.prod(weight.shape) for layer in frozen for weight in trainable(layer))
    for layer in frozen:
        layer.trainable = False
    left = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return Frozen(tuple(frozen.values()), parameters, left)


def _column(model: keras.Model, placed: Sequence[Placed], wanted: str) -> tuple[str, list[str]]:
    """Return the full name to look for, and each layer's name of the same kind."""
    try:
        return column_of(placed, wanted, "stage")
    except ValueError:
        if wanted != "head":
            raise
        wanted = classifiers(walk(model))[0].name
        return column_of(placed, wanted, "stage")
