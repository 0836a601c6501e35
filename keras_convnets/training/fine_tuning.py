"""Training on from a trained model: what stays as it is, what learns, and how fast.

A network's stages are those that its figure shows: as the layers' names say where they follow this
package's grammar, otherwise as names and graph tell.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets import checks
from keras_convnets.analysis.groups import places
from keras_convnets.analysis.walk import walk
from keras_convnets.training.discriminative import DiscriminativeSGD
from keras_convnets.training.new_head import classifiers, ends, new_head

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
    """What `freeze_until` has frozen.

    Attributes:
        layers: the names of the frozen layers with weights, in the order of computation.
        parameters: how many parameters are kept from being trained.
        trained_parameters: how many are still trained.
    """

    layers: tuple[str, ...]
    parameters: int
    trained_parameters: int

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{len(self.layers)} layers of {self.parameters:,} parameters frozen, "
            f"{self.trained_parameters:,} parameters trained"
        )


def freeze_until(model: keras.Model, stage: str) -> Frozen:
    """Freeze every layer before a stage; make the stage and all that comes after it trainable.

    Frozen batch normalisations run in inference mode: they use their moving statistics and leave
    them alone. (Dropout goes on dropping, frozen or not.) An auxiliary head is never frozen. Call
    it before ``model.compile``, for that is when Keras looks at what is trainable.

    Args:
        model: a functional model.
        stage: the first stage that is trained (``conv4``), or the first block (``conv4_block2``)
            or layer, by its name. ``head`` is where the classifier of any model stands.

    Raises:
        ValueError: the model has no such stage, block or layer.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training.fine_tuning import freeze_until
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1))
        >>> frozen = freeze_until(model, "conv3")
        >>> frozen.layers
        ('conv1_conv', 'conv1_bn', 'conv2_block1_conv1', 'conv2_block1_bn1', 'conv2_block1_conv2')
        >>> print(frozen)
        5 layers of 77,312 parameters frozen, 231,690 parameters trained
    """
    placed = _placed(model)
    stage, column = _column(model, placed, stage)
    number = {name: index for index, name in enumerate(dict.fromkeys(column))}
    begun = {one.stage for one, name in zip(placed, column, strict=True) if name == stage}
    trained = {
        one.layer
        for one, name in zip(placed, column, strict=True)
        if number[name] >= number[stage] or (one.puts_out and one.stage not in begun)
    }
    _unfreeze(model)
    frozen = {one.layer: one.name for one in placed if one.layer not in trained}
    frozen = {layer: name for layer, name in frozen.items() if _trainable(layer)}
    parameters = sum(math.prod(weight.shape) for layer in frozen for weight in _trainable(layer))
    for layer in frozen:
        layer.trainable = False
    left = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return Frozen(tuple(frozen.values()), parameters, left)


def stage_factors(model: keras.Model, decay: float) -> dict[str, float]:
    """Return how fast each stage learns where earlier stages learn more slowly.

    The head learns at the full rate, the last stage before it at ``decay`` times that, the one
    before at ``decay ** 2``, and so on (Howard and Ruder 2018, arXiv:1801.06146, section 3.2).
    An auxiliary head learns at the full rate, too. Stages without weights do not count.

    Args:
        model: a functional model.
        decay: the factor from a stage to the one before it: more than 0, at most 1.

    Raises:
        ValueError: the decay is none.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training.fine_tuning import stage_factors
        >>> stage_factors(ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1)), 0.5)
        {'conv1': 0.0625, 'conv2': 0.125, 'conv3': 0.25, 'final': 0.5, 'head': 1.0}
    """
    decay = checks.positive_number("decay", decay, "the factor from stage to stage, such as 0.5")
    if decay > 1:
        raise ValueError(
            f"decay: received {decay!r}; expected at most 1, for earlier stages are to learn more "
            "slowly. Pass the factor from a stage to the one before it, such as 0.5."
        )
    learning = [one for one in _placed(model) if getattr(one.layer, "weights", None)]
    before = dict.fromkeys(one.stage for one in learning if not one.puts_out)
    after = dict.fromkeys(one.stage for one in learning if one.puts_out)
    return {
        **{stage: decay ** (len(before) - index) for index, stage in enumerate(before)},
        **dict.fromkeys(after, 1.0),
    }


def stage_rates(model: keras.Model, decay: float) -> list[float]:
    """Return the factor of `stage_factors` for each variable that is trained.

    They are in the order of ``model.trainable_variables``, for `DiscriminativeSGD`. Freeze first.

    Args:
        model: a functional model, frozen as far as it shall be.
        decay: as for `stage_factors`.

    Raises:
        ValueError: the decay is none.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training.fine_tuning import freeze_until, stage_rates
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1))
        >>> frozen = freeze_until(model, "final")
        >>> stage_rates(model, 0.5)  # the scale and offset of final_bn, the head's kernel and bias
        [0.5, 0.5, 1.0, 1.0]
    """
    factors = stage_factors(model, decay)
    found = {
        id(variable): factors[one.stage]
        for one in _placed(model)
        for variable in _trainable(one.layer)
    }
    return [found.get(id(variable), 1.0) for variable in model.trainable_variables]


@dataclasses.dataclass(frozen=True)
class _Placed:
    """One use of a layer, and where it stands; ``puts_out``: in a stage that makes an output."""

    layer: Any
    name: str
    block: str
    stage: str
    puts_out: bool


def _placed(model: keras.Model) -> list[_Placed]:
    """Return the uses of a model's layers in the order of computation, without the inputs."""
    calls = walk(model)
    found = places(calls, model.name)
    stages = {call: found[call].stage or found[call].block for call in calls}
    last = {stages[call] for call in ends(calls)}
    return [
        _Placed(call.layer, call.name, found[call].block, stages[call], stages[call] in last)
        for call in calls
        if not call.is_input
    ]


def _column(model: keras.Model, placed: Sequence[_Placed], wanted: str) -> tuple[str, list[str]]:
    """Return the name that is wanted, and of each use of a layer the stage, or block, or layer."""
    columns = [[getattr(one, kind) for one in placed] for kind in ("stage", "block", "name")]
    for column in columns:
        if wanted in column:
            return wanted, column
    if wanted == "head":
        classifier = classifiers(walk(model))[0].name
        return classifier, columns[-1]
    stages = list(dict.fromkeys(columns[0]))
    known = dict.fromkeys(name for column in columns for name in column)
    raise ValueError(
        f"stage: received {wanted!r}; expected one of {', '.join(map(repr, stages))}, the stages "
        f"of {model.name}, or one of its blocks or layers.{checks.did_you_mean(wanted, known)}"
    )


def _unfreeze(layer: Any) -> None:
    """Make a layer trainable, and those of a model one by one.

    On TensorFlow, Keras (3.15) hands nothing down from a model that is trainable already.
    """
    layer.trainable = True
    for inner in getattr(layer, "layers", ()):
        _unfreeze(inner)


def _trainable(layer: Any) -> list[Any]:
    """Return the weights that training changes; an operation, which is no layer, has none."""
    return getattr(layer, "trainable_weights", [])
