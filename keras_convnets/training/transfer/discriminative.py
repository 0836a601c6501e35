"""Discriminative fine-tuning: lower learning rates for earlier stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets import checks
from keras_convnets.fast.optimizer import updated
from keras_convnets.graph.stages import placed_layers, stages_after, trainable
from keras_convnets.keras_private import FactoredSGD, index_of
from keras_convnets.received import shown
from keras_convnets.typed import explaining


@explaining
def stage_factors(model: keras.Model, decay: float) -> dict[str, float]:
    """Return the learning-rate factor of each stage, lower for earlier stages.

    The head learns at the full rate, the last stage before it at ``decay`` times that, the one
    before at ``decay ** 2``, and so on (Howard and Ruder 2018, arXiv:1801.06146, section 3.2).
    Auxiliary heads also learn at the full rate. Stages without weights do not count. Of two
    networks side by side, each is counted back from the head that they have in common.

    Args:
        model: a functional model.
        decay: the factor from a stage to the one before it, above 0 and at most 1.

    Raises:
        ValueError: the decay is out of range.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import stage_factors
        >>> stage_factors(ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1)), 0.5)
        {'conv1': 0.0625, 'conv2': 0.125, 'conv3': 0.25, 'final': 0.5, 'head': 1.0}
    """
    decay = checks.positive_number("decay", decay, "the factor from stage to stage, such as 0.5")
    if decay > 1:
        raise ValueError(
            f"decay: received {decay!r}; expected at most 1, for earlier stages are to learn more "
            "slowly. Pass the factor from a stage to the one before it, such as 0.5."
        )
    placed = placed_layers(model)
    learning = {one.stage: one.has_output for one in placed if getattr(one.layer, "weights", None)}
    steps: dict[str, int] = {}  # from a stage to the head, on the longest path
    for stage, following in reversed(stages_after(placed).items()):
        longest = max((steps[one] for one in following), default=-1)
        steps[stage] = 0 if learning.get(stage) else longest + (stage in learning)
    heads_last = sorted(learning, key=learning.__getitem__)
    return {stage: decay ** steps[stage] for stage in heads_last}


@explaining
def stage_rates(model: keras.Model, decay: float) -> list[float]:
    """Return the factor of `stage_factors` for each trainable variable.

    The factors are in the order of ``model.trainable_variables``, for `DiscriminativeSGD`. Freeze
    layers first.

    Args:
        model: a functional model, with layers already frozen if desired.
        decay: as in `stage_factors`.

    Raises:
        ValueError: the decay is out of range.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import freeze_until, stage_rates
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1))
        >>> frozen = freeze_until(model, "final")
        >>> stage_rates(model, 0.5)  # the scale and offset of final_bn, the head's kernel and bias
        [0.5, 0.5, 1.0, 1.0]
    """
    factors = stage_factors(model, decay)
    found = {
        id(variable): factors[one.stage]
        for one in placed_layers(model)
        for variable in trainable(one.layer)
    }
    return [found.get(id(variable), 1.0) for variable in model.trainable_variables]


def slow_stages(optimizer: Any, rates: Sequence[float], decaying: Sequence[bool]) -> None:
    """Give each variable of an optimizer of any class its own learning rate, and decay by it.

    The optimizer remains one of Keras, and so do the files of a model compiled with it, which do
    not have the factors. Call this before the optimizer is built.

    Args:
        optimizer: the optimizer; its own weight decay, at one rate for all, must be excluded.
        rates: the factor of each variable, from `stage_rates`.
        decaying: whether each variable decays.
    """

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = index_of(optimizer, variable)
        rate = keras.ops.cast(learning_rate, variable.dtype) * rates[index]
        if decaying[index] and optimizer.weight_decay:
            optimizer.assign_sub(variable, variable * optimizer.weight_decay * rate)
        type(optimizer).update_step(optimizer, gradient, variable, rate)

    optimizer.update_step = update_step


@keras.saving.register_keras_serializable("keras_convnets")
class DiscriminativeSGD(FactoredSGD):
    """Keras' SGD with a separate learning rate for each variable.

    Each variable is updated as ``keras.optimizers.SGD`` would at the learning rate times the
    variable's factor, including momentum, weight decay and schedules. To load a model that was
    saved with it, import this class first.

    Args:
        learning_rate: as in ``keras.optimizers.SGD``; the rate of a variable with factor 1.
        momentum: as in ``keras.optimizers.SGD``.
        nesterov: as in ``keras.optimizers.SGD``.
        rates: a factor above 0 for each trainable variable, in the order of
            ``model.trainable_variables``, as returned by `stage_rates`.
        **kwargs: other arguments of ``keras.optimizers.SGD``.

    Raises:
        ValueError: a factor is not above 0, or their number differs from that of the variables.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import DiscriminativeSGD, stage_rates
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1, 1))
        >>> optimizer = DiscriminativeSGD(0.01, momentum=0.9, rates=stage_rates(model, 0.5))
        >>> model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        rates: Sequence[float],
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, momentum, nesterov, **kwargs)
        if not isinstance(rates, Sequence) or isinstance(rates, str) or not rates:
            raise ValueError(
                f"rates: received {shown(rates)}; expected a factor for each variable that is "
                "trained. Pass stage_rates(model, decay)."
            )
        meaning = "a factor such as 0.5; freeze_until keeps a layer from learning"
        self.rates = tuple(checks.positive_number("rates", rate, meaning) for rate in rates)

    def build(self, variables: Sequence[Any]) -> None:
        """Create the optimizer's variables for a model's ``trainable_variables``."""
        if len(variables) != len(self.rates):
            raise ValueError(
                f"rates: received {len(self.rates)}; expected {len(variables)}, as many as there "
                "are variables to train. Call stage_rates after the last freeze_until."
            )
        super().build(variables)

    def factor(self, index: int) -> float:
        """Return the factor of a variable, by its index among the trainable ones."""
        return self.rates[index]

    def update_at(self, gradient: Any, variable: Any, rate: Any) -> None:
        """Update one variable at a learning rate of its own."""
        if not updated(self, gradient, variable, rate):
            super().update_at(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return super().get_config() | {"rates": list(self.rates)}
