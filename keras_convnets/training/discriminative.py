"""Gradient descent with a learning rate for each variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets import checks


@keras.saving.register_keras_serializable("keras_convnets")
class DiscriminativeSGD(keras.optimizers.SGD):
    """Keras' SGD, in which each variable has a learning rate of its own.

    It does to each variable what ``keras.optimizers.SGD`` does at the learning rate times the
    variable's factor, with momentum, weight decay and schedules. A model that was saved with it
    can be loaded once this module has been imported.

    Args:
        learning_rate: as for ``keras.optimizers.SGD``: what a variable of factor 1 learns at.
        momentum: as for ``keras.optimizers.SGD``.
        nesterov: as for ``keras.optimizers.SGD``.
        rates: a factor above 0 for each of the variables that it trains, in the order of
            ``model.trainable_variables``, as `stage_rates` returns them.
        **kwargs: those of ``keras.optimizers.SGD``.

    Raises:
        ValueError: a factor is not above 0, or there are not as many as variables.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training.fine_tuning import DiscriminativeSGD, stage_rates
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
                f"rates: received {rates!r}; expected a factor for each variable that is trained. "
                "Pass stage_rates(model, decay)."
            )
        meaning = "a factor such as 0.5; freeze_until keeps a layer from learning"
        self.rates = tuple(checks.positive_number("rates", rate, meaning) for rate in rates)

    def build(self, variables: Sequence[Any]) -> None:
        """Make the optimizer's variables, for a model's ``trainable_variables``."""
        if len(variables) != len(self.rates):
            raise ValueError(
                f"rates: received {len(self.rates)}; expected {len(variables)}, as many as there "
                "are variables to train. Call stage_rates after the last freeze_until."
            )
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable, at its own learning rate."""
        factor = self.rates[self._get_variable_index(variable)]
        rate = keras.ops.cast(learning_rate, variable.dtype) * factor
        if self.weight_decay is not None and self._use_weight_decay(variable):
            self.assign_sub(variable, variable * self.weight_decay * rate)
        super().update_step(gradient, variable, rate)

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        """Do nothing: Keras would decay each variable at the same learning rate."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return super().get_config() | {"rates": list(self.rates)}
